use axum::extract::{MatchedPath, Request};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use veilcast_logs::Route;

/// The router's own templates, as logs may name them: as many as there are routes, and no more, whatever is asked for.
static TEMPLATES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The route that a request came by. What no route takes is a file or nothing, and has no name.
pub(crate) fn route_of(request: &Request) -> Route {
    let Some(matched) = request.extensions().get::<MatchedPath>() else { return Route::new("none") };
    let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = templates.get(matched.as_str()).copied();
    Route::new(known.unwrap_or_else(|| {
        let template: &'static str = Box::leak(matched.as_str().to_owned().into_boxed_str());
        templates.insert(template);
        template
    }))
}
