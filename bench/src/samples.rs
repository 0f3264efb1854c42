//! `Samples`: times, and what is said of them.

use crate::{Agent, Letter, Times};

/// The times of many launches of one agent.
#[derive(Clone, Debug, Default)]
pub struct Samples(pub Vec<Times>);

impl Samples {
    /// The median of one of the times.
    pub fn median(&self, of: impl Fn(&Times) -> f64) -> f64 {
        median(self.0.iter().map(of).collect())
    }

    /// The value that a quarter of one of the times lies below.
    pub fn quartile(&self, of: impl Fn(&Times) -> f64) -> f64 {
        quartile(self.0.iter().map(of).collect())
    }

    /// The value that one in twenty of one of the times lies below.
    pub fn twentieth(&self, of: impl Fn(&Times) -> f64) -> f64 {
        twentieth(self.0.iter().map(of).collect())
    }
}

/// The middle value.
pub fn median(values: Vec<f64>) -> f64 {
    nth(values, 2)
}

/// The value that a quarter lies below. On a machine that others use it moves less than the median.
pub fn quartile(values: Vec<f64>) -> f64 {
    nth(values, 4)
}

/// The value that one in twenty lies below: what it takes when hardly anything disturbs.
pub fn twentieth(values: Vec<f64>) -> f64 {
    nth(values, 20)
}

fn nth(mut values: Vec<f64>, part: usize) -> f64 {
    assert!(!values.is_empty(), "nothing was measured");
    values.sort_by(f64::total_cmp);
    values[values.len() / part]
}

/// `rounds` launches of each agent, one after the other in every round, so that whatever else the machine does meets all of
/// them. The first rounds, which make directories and fill caches, are not counted.
pub fn in_turns<const N: usize>(
    agents: [&mut Agent; N],
    letter: Letter,
    rounds: usize,
    mut between: impl FnMut(),
) -> [Samples; N] {
    let mut samples = std::array::from_fn(|_| Samples::default());
    for round in 0..rounds + WARM_UP {
        // Whoever comes after a slow one must not always be the same.
        for turn in 0..N {
            let index = (turn + round) % N;
            let times = agents[index].one(letter);
            if round >= WARM_UP {
                samples[index].0.push(times);
            }
            between();
        }
    }
    samples
}

const WARM_UP: usize = 5;
