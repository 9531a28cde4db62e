//! `att authorize`: the page to open, and what came of it.

use crate::args::AuthorizeArguments;
use crate::{print, with_room};
use att_api::{Drive, Home, Report};
use std::process::ExitCode;

/// Runs `att authorize`.
pub async fn run(home: Home, arguments: AuthorizeArguments, json: bool) -> Result<ExitCode, Report> {
    let server = arguments.server;
    if arguments.forget {
        return with_room(home, Drive::Nothing, async |room| {
            room.server_forget_authorization(server.clone()).await?;
            match json {
                true => print::json(&serde_json::json!({"server": server, "authorized": false})),
                false => print::line(&format!("The authorization of `{server}` is thrown away.")),
            }
            Ok(ExitCode::SUCCESS)
        })
        .await;
    }
    let wanted = att_api::authorize_once(&home, &server, |page| {
        print::remark(&format!(
            "Open this page and agree there (until {}):\n{}",
            print::time(page.until_ms),
            page.url
        ));
    })
    .await?;
    with_room(home, Drive::Nothing, async |room| {
        room.server_authorized(server.clone()).await;
        match (json, wanted) {
            (true, _) => {
                print::json(&serde_json::json!({"server": server, "authorized": true, "asked": wanted}))
            }
            (false, true) => print::line(&format!("ATT is authorized with `{server}`.")),
            (false, false) => print::line(&format!("`{server}` answers; it wants no further authorization.")),
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}
