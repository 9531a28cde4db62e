//! The flapping server's schedule: up for a while, then down for a number of starts.
//!
//! "Down" is a process that ends at its start, so that it looks the same over stdio and behind a URL that ATT
//! starts itself. The schedule is kept beside the control file.

use std::sync::Arc;
use std::time::Duration;

use crate::control::Control;

/// True when this start is to be refused.
pub(crate) fn is_down(control: &Control) -> bool {
    let faults = control.faults();
    let Some(attempts) = faults.flap_down_attempts.filter(|_| faults.flap_up_ms.is_some()) else {
        return false;
    };
    let mut refuse = false;
    control.keep(|kept| {
        if kept.down && kept.refused < attempts {
            kept.refused += 1;
            refuse = true;
        } else {
            kept.down = false;
            kept.refused = 0;
        }
    });
    refuse
}

/// Goes down when the time has come.
pub(crate) fn run(control: Arc<Control>) {
    let Some(up) = control.faults().flap_up_ms else { return };
    let up = Duration::from_millis(u64::try_from(up).unwrap_or(0));
    tokio::spawn(async move {
        tokio::time::sleep(up).await;
        control.keep(|kept| kept.down = true);
        eprintln!("att-demo-server: going down as scheduled");
        std::process::exit(1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Faults;
    use crate::{Era, Profile};

    #[test]
    fn it_refuses_the_scheduled_number_of_starts_and_then_comes_up() {
        let faults = Faults { flap_up_ms: Some(1), flap_down_attempts: Some(3), ..Faults::default() };
        let control = Control::new(None, faults, Profile::Flapping, Era::Both);
        assert!(!is_down(&control), "it begins up");
        control.keep(|kept| kept.down = true);
        let starts: Vec<bool> = (0..5).map(|_| is_down(&control)).collect();
        assert_eq!(starts, [true, true, true, false, false]);
    }
}
