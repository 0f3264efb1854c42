//! The progress bar, and the wish to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rocker_pack::Observer;

/// Shows how far a build is, and hands on an interrupt.
pub struct Progress {
    bar: ProgressBar,
    phases: bool,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// A bar on stderr if `visible`, and a line for each phase if those are wanted; the build stops once `interrupted`
    /// is set.
    pub fn new(visible: bool, phases: bool, interrupted: Arc<AtomicBool>) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let template = "{bar:40} {percent:>3} %  {bytes} of {total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            phases,
            interrupted,
        }
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn phase(&self, what: &str) {
        if self.phases {
            self.bar.suspend(|| eprintln!("rocker-pack: {what}"));
        }
    }

    fn start(&self, total_bytes: u64) {
        self.bar.set_position(0);
        self.bar.set_length(total_bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn is_cancelled(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
