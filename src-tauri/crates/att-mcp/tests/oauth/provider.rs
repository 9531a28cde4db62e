//! An MCP server that wants a token, and the authorization server that gives it: one process, one origin.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// Every token begins so: a test looks for it where none may be.
pub const PLANTED: &str = "planted-token-";
/// Every code begins so.
pub const PLANTED_CODE: &str = "planted-code-";

#[derive(Clone)]
pub struct Provider(Arc<Shared>);

struct Shared {
    url: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub struct Inner {
    next: u32,
    access: BTreeSet<String>,
    refresh: Option<String>,
    /// Refresh tokens that were used a second time.
    pub reused: u32,
    pub refreshes: u32,
    pub registrations: u32,
    pub codes: u32,
    pub client_credentials: u32,
    /// The answer to every refresh is `invalid_grant`.
    pub reject_refresh: bool,
    /// The person says no.
    pub deny: bool,
    /// What the metadata names instead of its own token endpoint.
    pub token_endpoint: Option<String>,
    /// What the challenge names instead of its own metadata.
    pub resource_metadata: Option<String>,
    /// The authorization server that it names instead of itself.
    pub elsewhere: Option<String>,
    /// The issuer in its metadata.
    pub issuer: Option<String>,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Shared { url, inner: Mutex::default() }));
        let router = Router::new()
            .route("/mcp", post(mcp))
            .route("/.well-known/oauth-protected-resource/mcp", get(resource))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn mcp(&self) -> String {
        format!("{}/mcp", self.0.url)
    }

    pub fn origin(&self) -> String {
        self.0.url.clone()
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap()
    }

    /// No access token that was given so far is good any more.
    pub fn revoke(&self) {
        self.inner().access.clear();
    }
}

impl Inner {
    fn tokens(&mut self, with_refresh: bool) -> Json<Value> {
        self.next += 1;
        let access = format!("{PLANTED}access-{}", self.next);
        self.access.insert(access.clone());
        let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600});
        if with_refresh {
            let refresh = format!("{PLANTED}refresh-{}", self.next);
            answer["refresh_token"] = json!(refresh);
            self.refresh = Some(refresh);
        }
        Json(answer)
    }
}

async fn mcp(State(provider): State<Provider>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !provider.inner().access.contains(token) {
        let metadata = provider.inner().resource_metadata.clone();
        let metadata = metadata
            .unwrap_or_else(|| format!("{}/.well-known/oauth-protected-resource/mcp", provider.0.url));
        let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"files:read\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "locked", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "open", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [{"type": "text", "text": "opened"}]}),
        "ping" => json!({}),
        method if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        // A server that repeats what it was given.
        _ => {
            let error = json!({"code": -32601, "message": format!("unknown, and you are {token}")});
            return Json(json!({"jsonrpc": "2.0", "id": message["id"], "error": error})).into_response();
        }
    };
    Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
}

async fn resource(State(provider): State<Provider>) -> Json<Value> {
    let named = provider.inner().elsewhere.clone().unwrap_or_else(|| provider.origin());
    Json(json!({"resource": provider.mcp(), "authorization_servers": [named]}))
}

async fn metadata(State(provider): State<Provider>) -> Json<Value> {
    let url = &provider.0.url;
    let inner = provider.inner();
    let issuer = inner.issuer.clone().unwrap_or_else(|| url.clone());
    let token = inner.token_endpoint.clone().unwrap_or_else(|| format!("{url}/token"));
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": token,
        "registration_endpoint": format!("{url}/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
    }))
}

async fn register(State(provider): State<Provider>, Json(asked): Json<Value>) -> Json<Value> {
    let mut inner = provider.inner();
    inner.registrations += 1;
    let id = format!("client-{}", inner.registrations);
    Json(json!({"client_id": id, "redirect_uris": asked["redirect_uris"]}))
}

async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Redirect {
    let mut inner = provider.inner();
    let (to, state) = (&asked["redirect_uri"], &asked["state"]);
    if inner.deny {
        return Redirect::to(&format!("{to}?error=access_denied&state={state}"));
    }
    inner.codes += 1;
    Redirect::to(&format!("{to}?code={PLANTED_CODE}{}&state={state}", inner.codes))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let mut inner = provider.inner();
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    match asked["grant_type"].as_str() {
        "authorization_code" if asked["code"].starts_with(PLANTED_CODE) => inner.tokens(true).into_response(),
        "client_credentials" => {
            inner.client_credentials += 1;
            match headers.contains_key(header::AUTHORIZATION) {
                true => inner.tokens(false).into_response(),
                false => refused(),
            }
        }
        "refresh_token" if inner.reject_refresh => refused(),
        "refresh_token" => {
            inner.refreshes += 1;
            if inner.refresh.as_ref() != asked.get("refresh_token") {
                inner.reused += 1;
                return refused();
            }
            inner.tokens(true).into_response()
        }
        _ => refused(),
    }
}
