//! How ATT presents itself to a server, and what it hears unasked.

use std::sync::Arc;

use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::NotificationContext;
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
    #[expect(deprecated, reason = "SEP-2577 retires roots; servers of the legacy era still ask for them")]
    fn get_info(&self) -> ClientConfig {
        let mut implementation = Implementation::new("att", env!("CARGO_PKG_VERSION"));
        implementation.title = Some("ATT".to_owned());
        // Asked for roots, rmcp answers with the empty list: ATT offers a server no folder.
        ClientConfig::new(ClientCapabilities::builder().enable_roots().build(), implementation)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
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
