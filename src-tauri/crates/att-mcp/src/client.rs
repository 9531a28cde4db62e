//! How ATT presents itself to a server, and what it hears unasked.

use std::sync::Arc;

use rmcp::model::{
    ClientCapabilities, ClientConfig, CustomRequest, CustomResult, ElicitationCapability, ErrorData,
    FormElicitationCapability, Implementation, ProtocolVersion, UrlElicitationCapability,
};
use rmcp::service::{InboundStreamOrigin, NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::Notify;

use crate::conversation::Conversation;

/// rmcp's handler: our own name, no capability that we do not have, and an ear for changed lists.
#[derive(Clone)]
pub(crate) struct FleetClient {
    /// Where what it says beside its answers goes.
    pub conversation: Arc<Conversation>,
    /// Told whenever a list changed.
    pub lists_changed: Arc<Notify>,
}

impl FleetClient {
    pub fn new(conversation: Arc<Conversation>) -> Self {
        Self { conversation, lists_changed: Arc::default() }
    }
}

impl ClientHandler for FleetClient {
    #[expect(deprecated, reason = "SEP-2577 retires roots and sampling; servers still ask for them")]
    fn get_info(&self) -> ClientConfig {
        let mut implementation = Implementation::new("att", env!("CARGO_PKG_VERSION"));
        implementation.title = Some("ATT".to_owned());
        let elicitation = ElicitationCapability::new()
            .with_form(FormElicitationCapability::new().with_schema_validation(true))
            .with_url(UrlElicitationCapability::default());
        let capabilities = ClientCapabilities::builder()
            .enable_roots()
            .enable_sampling()
            .enable_elicitation_with(elicitation)
            .build();
        ClientConfig::new(capabilities, implementation)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    /// The edge hands on whatever a server asks as it came, so that a form is judged by us and not by its type.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        let origin = context.extensions.get::<InboundStreamOrigin>().cloned();
        let params = request.params.as_ref();
        self.conversation
            .asked(&request.method, params, origin.as_ref(), context.ct)
            .await
            .map(CustomResult::new)
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.lists_changed.notify_one();
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.lists_changed.notify_one();
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.lists_changed.notify_one();
    }
}
