//! `--control`: devices looked at and changed over HTTP while they are served. What it may do is in
//! `openapi.json`. A client of a device notices nothing but the change.

mod bench;
mod reply;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use passline_modbus::value::Decimal;
use passline_simulator::device::Device;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) use self::bench::{Bench, Seat};
use self::reply::{Refusal, done, json_of};
use crate::language::variables::Scalar;

/// Longer than any request that is meant.
const BODY: usize = 64 * 1024;

/// The description of all that follows.
const OPENAPI: &str = include_str!("openapi.json");

type Shared = State<Arc<Bench>>;
type Reply = Result<Response, Refusal>;
type Body = Result<axum::body::Bytes, BytesRejection>;

/// Answers on `listener`, for ever.
pub(super) async fn serve(listener: TcpListener, bench: Bench) {
    // It ends with the process alone.
    let _ = axum::serve(listener, router(Arc::new(bench))).await;
}

/// What can be asked, and of what.
fn routes() -> [(&'static str, MethodRouter<Arc<Bench>>); 10] {
    [
        ("/openapi.json", get(openapi)),
        ("/devices", get(devices)),
        ("/points/{point}", get(point)),
        ("/points/{point}", put(set_point)),
        ("/devices/{device}/faults", get(faults)),
        ("/devices/{device}/faults", post(fire)),
        ("/devices/{device}/faults", delete(clear)),
        ("/devices/{device}/counters", get(counters)),
        ("/time", get(time)),
        ("/time", put(set_time)),
    ]
}

fn router(bench: Arc<Bench>) -> Router {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route));
    router
        .fallback(nowhere)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn(no_browsers))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(bench)
}

async fn nowhere() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing here", "see /openapi.json")
}

async fn no_such_method() -> Refusal {
    let error = "this cannot be done here";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, "see /openapi.json")
}

/// A page that somebody visits has no business with devices here: what browsers send for pages to
/// change something names their origin.
async fn no_browsers(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        let error = "requests of web pages are not answered";
        let remedy = "ask from a program, without the header Origin";
        return Refusal::new(StatusCode::FORBIDDEN, error, remedy).into_response();
    }
    next.run(request).await
}

/// The name in a path.
struct Name(String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = name.map_err(|rejection| {
            Refusal::new(rejection.status(), rejection.body_text(), "write names in UTF-8")
        })?;
        Ok(Self(name))
    }
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn devices(State(bench): Shared) -> Response {
    json_of(&bench.devices())
}

async fn point(State(bench): Shared, Name(name): Name) -> Reply {
    let (seat, point) = bench.point(&name)?;
    Ok(json_of(&bench.value(seat, &point)?))
}

/// What is asked for with `PUT /points/…`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    value: Value,
}

async fn set_point(State(bench): Shared, Name(name): Name, body: Body) -> Reply {
    let (seat, point) = bench.point(&name)?;
    let setting: Setting = read(body, "{\"value\": 23.5}")?;
    let value = scalar(&setting.value)?;
    bench.set(seat, &point, value)?;
    Ok(json_of(&bench.value(seat, &point)?))
}

async fn faults(State(bench): Shared, Name(device): Name) -> Reply {
    let faults = bench.with(bench.seat(&device)?, |device| {
        device.faults().map(|fault| json!({ "fault": fault.kind.word() })).collect::<Vec<_>>()
    })?;
    Ok(json_of(&faults))
}

async fn fire(State(bench): Shared, Name(device): Name, body: Body) -> Reply {
    let seat = bench.seat(&device)?;
    let text = String::from_utf8(bytes(body)?.to_vec())
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "this is not UTF-8", "send JSON"))?;
    let word = bench.fire(seat, &text)?;
    Ok((StatusCode::CREATED, json_of(&json!({ "fault": word }))).into_response())
}

async fn clear(State(bench): Shared, Name(device): Name) -> Reply {
    bench.with(bench.seat(&device)?, Device::clear_faults)?;
    Ok(done())
}

async fn counters(State(bench): Shared, Name(device): Name) -> Reply {
    let counted = bench.with(bench.seat(&device)?, |device| device.statistics())?;
    Ok(json_of(&json!({
        "requests": counted.requests,
        "answers": counted.answers,
        "exceptions": counted.exceptions,
        "faults": counted.faults,
    })))
}

async fn time(State(bench): Shared) -> Response {
    json_of(&bench.time())
}

/// What is asked for with `PUT /time`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    paused: bool,
}

async fn set_time(State(bench): Shared, body: Body) -> Reply {
    let pause: Pause = read(body, "{\"paused\": true}")?;
    bench.pause(pause.paused);
    Ok(json_of(&bench.time()))
}

fn bytes(body: Body) -> Result<axum::body::Bytes, Refusal> {
    body.map_err(|rejection| {
        let error = rejection.body_text();
        Refusal::new(rejection.status(), error, "send at most 64 KiB, whole")
    })
}

/// The body as this kind of JSON, for example that.
fn read<T: for<'de> Deserialize<'de>>(body: Body, example: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&bytes(body)?).map_err(|error| {
        let remedy = format!("send JSON such as {example}");
        Refusal::new(StatusCode::BAD_REQUEST, error.to_string(), remedy)
    })
}

/// A JSON value as one of the spec language.
fn scalar(value: &Value) -> Result<Scalar, Refusal> {
    let scalar = match value {
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Number(number) => number.to_string().parse::<Decimal>().ok().map(Scalar::Number),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    scalar.ok_or_else(|| {
        let text: String = value.to_string().chars().take(40).collect();
        let error = format!("a point cannot be {text}");
        let remedy = "send a number that is not too long, a text, true or false";
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error, remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let document: Value = serde_json::from_str(OPENAPI).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let mut routes: Vec<&str> = routes().iter().map(|(path, _)| *path).collect();
        let is_method = |key: &&String| ["get", "put", "post", "delete"].contains(&key.as_str());
        let mut described: Vec<&str> = Vec::new();
        for (path, item) in paths {
            let methods = item.as_object().expect("methods").keys().filter(is_method);
            described.extend(methods.map(|_| path.as_str()));
        }
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(routes, described);
    }
}
