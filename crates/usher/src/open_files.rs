//! How many files and connections the process may have open at once.

/// Raises the limit to the most that the system allows this process. Many systems begin with 1,024, which a service
/// with as many callers outgrows; where it cannot be raised the old one stays.
pub fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if let Err(error) =
            setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
}
