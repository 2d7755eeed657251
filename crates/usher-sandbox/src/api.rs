//! The endpoints (RFC 7644 §3.2).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::{Value, json};

use crate::call::Call;
use crate::filter::Filter;
use crate::refusal::Refusal;
use crate::represent::{Projection, location, represent};
use crate::schema::Kind;
use crate::store::{Record, Store};
use crate::{BASE_PATH, Shared, answer, check, discovery, exchange, patch};

type Outcome = Result<Response, Refusal>;

/// All endpoints, behind authorization, faults and the observer.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut endpoints = Router::new()
        .route("/ServiceProviderConfig", get(discovery::service_provider_config))
        .route("/ResourceTypes", get(discovery::resource_types))
        .route("/ResourceTypes/{id}", get(discovery::resource_type))
        .route("/Schemas", get(discovery::schemas))
        .route("/Schemas/{id}", get(discovery::schema));
    for path in ["/Me", "/Bulk", "/.search", "/Users/.search", "/Groups/.search"] {
        endpoints = endpoints.route(path, any(not_implemented));
    }
    for kind in Kind::ALL {
        endpoints = endpoints.merge(resources(kind));
    }
    let endpoints = endpoints.method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .nest(BASE_PATH, endpoints)
        .fallback(no_such_endpoint)
        .layer(middleware::from_fn_with_state(shared.clone(), exchange::exchange))
        .with_state(shared)
}

fn resources(kind: Kind) -> Router<Arc<Shared>> {
    let endpoint = kind.definition().endpoint;
    let collection =
        get(move |State(shared): State<Arc<Shared>>, call: Call| async move { list(&shared, kind, &call) })
            .post(move |State(shared): State<Arc<Shared>>, call: Call, body: Bytes| async move {
                create(&shared, kind, &call, &body)
            });
    let single = get(
        move |State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call| async move {
            read(&shared, kind, &id, &call)
        },
    )
    .put(
        move |State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call, body: Bytes| async move {
            replace(&shared, kind, &id, &call, &body)
        },
    )
    .patch(
        move |State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call, body: Bytes| async move {
            modify(&shared, kind, &id, &call, &body)
        },
    )
    .delete(move |State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call| async move {
        delete(&shared, kind, &id, &call)
    });
    Router::new().route(&format!("/{endpoint}"), collection).route(&format!("/{endpoint}/{{id}}"), single)
}

fn list(shared: &Shared, kind: Kind, call: &Call) -> Outcome {
    let projection = call.projection(kind)?;
    let filter = match call.parameter("filter")? {
        None => None,
        Some(text) => Some(Filter::parse(kind.definition(), &text).map_err(Refusal::filter)?),
    };
    let start = usize::try_from(call.number("startIndex")?.unwrap_or(1)).unwrap_or(1).max(1);
    let limit = shared.options.page_limit;
    let count = call.number("count")?.map_or(limit, |count| usize::try_from(count).unwrap_or(0).min(limit));
    let store = shared.read();
    let found = store
        .select(kind, filter.as_ref(), |record| represent(&store, record, &call.base, &Projection::Default));
    let page: Vec<Value> = found
        .iter()
        .skip(start - 1)
        .take(count)
        .map(|record| Value::Object(represent(&store, record, &call.base, &projection)))
        .collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": found.len(),
        "startIndex": start,
        "itemsPerPage": page.len(),
        "Resources": page,
    });
    Ok(answer::json(StatusCode::OK, &body))
}

fn read(shared: &Shared, kind: Kind, id: &str, call: &Call) -> Outcome {
    let projection = call.projection(kind)?;
    let store = shared.read();
    let record = store.get(kind, id)?;
    if call.has_current(record) {
        return Ok(with_entity_tag(answer::empty(StatusCode::NOT_MODIFIED), record));
    }
    Ok(whole(&store, record, call, &projection, StatusCode::OK))
}

fn create(shared: &Shared, kind: Kind, call: &Call, body: &Bytes) -> Outcome {
    let projection = call.projection(kind)?;
    let values = check::resource(kind.definition(), call.json(body)?)?;
    let mut store = shared.write();
    let id = store.create(kind, without_secrets(values), shared.now())?.id.clone();
    let record = store.get(kind, &id)?;
    let mut response = whole(&store, record, call, &projection, StatusCode::CREATED);
    if let Ok(location) = HeaderValue::from_str(&location(record, &call.base)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn replace(shared: &Shared, kind: Kind, id: &str, call: &Call, body: &Bytes) -> Outcome {
    let projection = call.projection(kind)?;
    let mut store = shared.write();
    call.check_if_match(store.get(kind, id)?)?;
    let values = check::resource(kind.definition(), call.json(body)?)?;
    store.replace(kind, id, without_secrets(values), shared.now())?;
    Ok(whole(&store, store.get(kind, id)?, call, &projection, StatusCode::OK))
}

fn modify(shared: &Shared, kind: Kind, id: &str, call: &Call, body: &Bytes) -> Outcome {
    let projection = call.projection(kind)?;
    let mut store = shared.write();
    let record = store.get(kind, id)?;
    call.check_if_match(record)?;
    let values = patch::apply(kind.definition(), &record.values, call.json(body)?)?;
    store.replace(kind, id, without_secrets(values), shared.now())?;
    let record = store.get(kind, id)?;
    if kind == Kind::Group && matches!(projection, Projection::Default) {
        // A group can have any number of members; who changes one does not want to read them all.
        return Ok(with_entity_tag(answer::empty(StatusCode::NO_CONTENT), record));
    }
    Ok(whole(&store, record, call, &projection, StatusCode::OK))
}

fn delete(shared: &Shared, kind: Kind, id: &str, call: &Call) -> Outcome {
    let mut store = shared.write();
    call.check_if_match(store.get(kind, id)?)?;
    store.delete(kind, id, shared.now())?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn whole(
    store: &Store,
    record: &Record,
    call: &Call,
    projection: &Projection,
    status: StatusCode,
) -> Response {
    let body = Value::Object(represent(store, record, &call.base, projection));
    with_entity_tag(answer::json(status, &body), record)
}

fn with_entity_tag(mut response: Response, record: &Record) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&record.entity_tag()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A password is taken and checked like any value, and then nobody keeps it.
fn without_secrets(mut values: serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    values.shift_remove("password");
    values
}

async fn not_implemented(uri: Uri) -> Response {
    Refusal::plain(StatusCode::NOT_IMPLEMENTED, format!("{} is not supported", uri.path())).into_response()
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{method} is not allowed on {}", uri.path());
    Refusal::plain(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

async fn no_such_endpoint(uri: Uri) -> Response {
    Refusal::plain(StatusCode::NOT_FOUND, format!("there is no {}", uri.path())).into_response()
}
