//! The desktop program `att-desktop`.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    // WebKitGTK's DMA-BUF renderer shows an empty window on many machines without a proper GPU driver.
    #[cfg(target_os = "linux")]
    if std::env::var_os("WEBKIT_DISABLE_DMABUF_RENDERER").is_none() {
        // SAFETY: nothing else runs yet: this is the first statement of the program.
        #[allow(unsafe_code, reason = "the variable must be set before GTK starts, and no thread exists yet")]
        unsafe {
            std::env::set_var("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        }
    }
    att_desktop::run()
}
