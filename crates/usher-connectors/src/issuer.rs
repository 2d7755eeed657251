//! The keys of an OpenID Connect issuer, found through its discovery document (OpenID Connect Discovery 1.0, 4).

use serde_json::Value;

use crate::http::{Http, HttpOptions, HttpOptionsError, exchange, safe_address};

/// An issuer.
pub struct Issuer {
    http: Http,
    name: String,
}

impl Issuer {
    /// An issuer by its name, which is its address.
    ///
    /// # Errors
    /// The options cannot be used.
    pub fn new(name: &str, options: HttpOptions) -> Result<Self, HttpOptionsError> {
        Ok(Self { http: Http::new(options)?, name: name.to_owned() })
    }

    /// Its keys, as a JWKS document.
    ///
    /// # Errors
    /// The issuer cannot be asked, or names itself otherwise; the text says which.
    pub async fn keys(&self) -> Result<String, String> {
        let address = format!("{}/.well-known/openid-configuration", self.name.trim_end_matches('/'));
        let document: Value = serde_json::from_str(&self.get(&address).await?)
            .map_err(|error| format!("{address} is not JSON: {error}"))?;
        // An issuer that names another would let that other's tokens in (4.3).
        if document["issuer"].as_str() != Some(&self.name) {
            return Err(format!("{address} names another issuer than {}", self.name));
        }
        let keys = document["jwks_uri"].as_str().ok_or_else(|| format!("{address} has no 'jwks_uri'"))?;
        self.get(keys).await
    }

    async fn get(&self, address: &str) -> Result<String, String> {
        // Keys that cross a network in the clear prove nothing.
        let url = safe_address(address).map_err(|error| format!("'{address}': {error}"))?;
        let client = self.http.client(&url).map_err(|error| error.to_string())?;
        let reply = exchange(client.get(url)).await.map_err(|_| format!("{address} does not answer"))?;
        if !reply.status.is_success() {
            return Err(format!("{address} answered {}", reply.status));
        }
        String::from_utf8(reply.body.to_vec()).map_err(|_| format!("{address} is not text"))
    }
}
