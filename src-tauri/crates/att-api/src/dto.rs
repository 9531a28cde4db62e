//! What the faces send and receive. JSON as in design 4: times are `*_ms`, ids are strings, absent is null.
//!
//! **Invariant:** these shapes live at the boundary only; the engine's own types never reach a face.

pub mod baseline;
pub mod decision;
pub mod doctor;
pub mod fleet;
pub mod import;
pub mod notice;
pub mod question;
pub mod release;
pub mod secret;
pub mod server;
pub mod settings;
pub mod underway;
pub mod wire;

pub use baseline::*;
pub use decision::*;
pub use doctor::*;
pub use fleet::*;
pub use import::*;
pub use notice::*;
pub use question::*;
pub use release::*;
pub use secret::*;
pub use server::*;
pub use settings::*;
pub use underway::*;
pub use wire::*;
