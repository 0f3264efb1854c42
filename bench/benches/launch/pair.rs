//! `Pair`: two sides that take turns. Criterion's figure is the subject's; the medians of both follow it.

use bench::{Agent, Launch, Letter, Times, median};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use std::cell::RefCell;
use std::thread::sleep;
use std::time::Duration;

/// One of the times.
pub(crate) type Figure = fn(&Times) -> f64;

pub(crate) const START: Figure = |times| times.start;
pub(crate) const DONE: Figure = |times| times.done;
pub(crate) const GONE: Figure = |times| times.gone;

/// What the base and the subject launch; how many of each at a time.
pub(crate) struct Pair {
    base: Vec<Agent>,
    subject: Vec<Agent>,
    letter: Letter,
    figure: Figure,
    gap: Duration,
    taken: [Vec<f64>; 2],
}

impl Pair {
    pub(crate) fn new(base: Agent, subject: Agent, letter: Letter, figure: Figure) -> Self {
        Self::of_many(vec![base], vec![subject], letter, figure)
    }

    /// As many at a time as there are agents; the figure is the last one's.
    pub(crate) fn of_many(
        base: Vec<Agent>,
        subject: Vec<Agent>,
        letter: Letter,
        figure: Figure,
    ) -> Self {
        Self {
            base,
            subject,
            letter,
            figure,
            gap: Duration::ZERO,
            taken: [Vec::new(), Vec::new()],
        }
    }

    /// The same launch by both.
    pub(crate) fn equal(launch: &Launch, letter: Letter, figure: Figure) -> Self {
        Self::new(
            Agent::floor(&beside(launch)),
            Agent::ours(launch),
            letter,
            figure,
        )
    }

    /// The same with time between launches.
    pub(crate) fn apart(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// A launch of each; what the subject's took.
    fn turn(&mut self) -> Duration {
        let last = |agents: &mut Vec<Agent>| {
            sleep(self.gap);
            for agent in &mut *agents {
                agent.tell(self.letter);
            }
            let figures = agents.iter_mut().map(|agent| (self.figure)(&agent.hear()));
            figures.fold(0.0, f64::max)
        };
        let [base, subject] = [last(&mut self.base), last(&mut self.subject)];
        self.taken[0].push(base);
        self.taken[1].push(subject);
        Duration::from_secs_f64(subject / 1e6)
    }

    fn print(self, name: &str) {
        let [base, subject] = self.taken.map(median);
        println!(
            "    {name}: median {subject:.0} us, base {base:.0} us, ratio {:.2}",
            subject / base
        );
    }
}

/// The floor's launch beside this one: the same, with layers of its own.
pub(crate) fn beside(launch: &Launch) -> Launch {
    let data_dir = launch.data_dir.with_extension("floor");
    launch.clone().with(|launch| launch.data_dir = data_dir)
}

/// Runs a pair that is made only if this bench is asked for.
pub(crate) fn run(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    make: impl FnOnce() -> Pair,
) {
    let make = RefCell::new(Some(make));
    let mut pair = None;
    group.bench_function(name, |bencher| {
        let pair = pair.get_or_insert_with(|| make.take().expect("made once")());
        bencher.iter_custom(|rounds| (0..rounds).map(|_| pair.turn()).sum());
    });
    if let Some(pair) = pair {
        pair.print(name);
    }
}

/// The same launch by both: App's first instruction.
pub(crate) fn against_floor(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, launch: &Launch) {
    run(group, name, || Pair::equal(launch, Letter::Pause, START));
}

pub(crate) fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    group
}
