//! All nodes of a run, and the faults that are going on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tests::chaos::Moment;

use crate::fault::{FaultLog, Kind};
use crate::node::{Ending, Life, Node, Start, State};
use crate::place::Place;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::watchdog::Children;

/// A fault that is going on.
#[derive(Debug)]
struct Open {
    at: usize,
    kind: Kind,
    node: Option<usize>,
    until: Instant,
}

/// The nodes.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) settings: Settings,
    folder: PathBuf,
    children: Children,
    nodes: Vec<Node>,
    pub(crate) lives: Vec<Life>,
    pub(crate) log: FaultLog,
    open: Vec<Open>,
    /// The node that nothing is done to while another stands still: somebody must be able to tell that it does.
    calm: Option<usize>,
}

impl Cluster {
    pub(crate) fn new(settings: Settings, folder: PathBuf, children: Children, count: usize) -> Result<Self> {
        Ok(Self {
            settings,
            log: FaultLog::create(&folder.join("faults.jsonl"))?,
            folder,
            children,
            nodes: (1..=count).map(Node::new).collect(),
            lives: Vec::new(),
            open: Vec::new(),
            calm: None,
        })
    }

    /// Looks after everything: ledgers, processes that ended, nodes that must start, faults that are over.
    pub(crate) async fn tick(&mut self, place: &mut Place) -> Result<()> {
        for at in 0..self.nodes.len() {
            self.nodes[at].look()?;
            if let Some(ending) = self.nodes[at].reap(&self.children)? {
                self.has_ended(at, ending)?;
            }
            let is_due = matches!(self.nodes[at].state, State::Down { until } if until <= Instant::now());
            if is_due {
                self.start(at, place)?;
            }
        }
        let now = Instant::now();
        while let Some(at) = self.open.iter().position(|it| it.until <= now) {
            let open = self.open.remove(at);
            self.end(&open, place).await?;
        }
        Ok(())
    }

    fn start(&mut self, at: usize, place: &Place) -> Result<()> {
        let life = self.nodes[at].start(&Start {
            folder: &self.folder,
            place: place.arguments(),
            settings: &self.settings,
            children: &self.children,
        })?;
        self.lives.push(life);
        Ok(())
    }

    fn has_ended(&mut self, at: usize, ending: Ending) -> Result<()> {
        let (number, generation) = (self.nodes[at].number, self.nodes[at].generation);
        let died = Some((Moment::now(), ending));
        if let Some(life) = self.life(number, generation) {
            life.died = died;
        }
        self.nodes[at].is_ending = false;
        // A pause before the next start, so that one which cannot start does not do it a thousand times.
        self.nodes[at].state = State::Down {
            until: Instant::now() + Duration::from_millis(300),
        };
        // What was done to a process has ended with it, but for a deploy, which goes on with the next one.
        let over = |it: &Open| it.node == Some(number) && it.kind != Kind::Deploy;
        while let Some(open) = self.open.iter().position(over) {
            let open = self.open.remove(open);
            self.log.end(open.at)?;
            if open.kind == Kind::Stop {
                self.calm = None;
            }
        }
        Ok(())
    }

    fn life(&mut self, node: usize, generation: u32) -> Option<&mut Life> {
        self.lives
            .iter_mut()
            .find(|it| (it.node, it.generation) == (node, generation))
    }

    /// Begins a fault of this kind where it can be done now; answers whether it was.
    pub(crate) async fn begin(&mut self, kind: Kind, plan: &mut Plan, place: &mut Place) -> Result<bool> {
        let is_standing = self.open.iter().any(|it| it.kind == Kind::Stop);
        if !kind.is_of_node() {
            let others = self.open.iter().any(|it| !it.kind.is_of_node());
            let is_busy = self.nodes.iter().all(|it| it.in_flight() == 0);
            if is_standing || others || is_busy {
                return Ok(false);
            }
            let at = self.log.begin(kind, None)?;
            place
                .begin(kind)
                .await
                .with_context(|| format!("cannot begin `{}`", kind.name()))?;
            self.remember(at, kind, None, plan);
            return Ok(true);
        }
        let touched: Vec<usize> = self.open.iter().filter_map(|it| it.node).collect();
        let most = self.nodes.len().saturating_sub(2).max(1);
        let can_be = |it: &&Node| {
            it.is_up()
                && it.in_flight() > 0
                && !it.is_older
                && !touched.contains(&it.number)
                && self.calm != Some(it.number)
        };
        let candidates: Vec<usize> = self.nodes.iter().filter(can_be).map(|it| it.number).collect();
        let is_store_well = self.open.iter().all(|it| it.kind.is_of_node());
        if touched.len() >= most || (kind == Kind::Stop && (is_standing || !is_store_well)) {
            return Ok(false);
        }
        let Some(&number) = plan.one_of(&candidates) else {
            return Ok(false);
        };
        self.begin_on(kind, number - 1, plan)?;
        Ok(true)
    }

    fn begin_on(&mut self, kind: Kind, at: usize, plan: &mut Plan) -> Result<()> {
        let (number, generation) = (self.nodes[at].number, self.nodes[at].generation);
        let fault = self.log.begin(kind, Some((number, generation)))?;
        match kind {
            Kind::Kill => self.nodes[at].signal(Signal::KILL)?,
            Kind::Term => self.ask_to_end(at)?,
            Kind::Stop => {
                self.nodes[at].signal(Signal::STOP)?;
                let others = self.nodes.iter().filter(|it| it.is_up() && it.number != number);
                let others: Vec<usize> = others
                    .map(|it| it.number)
                    .filter(|it| !self.open.iter().any(|open| open.node == Some(*it)))
                    .collect();
                self.calm = plan.one_of(&others).copied();
            }
            Kind::Clock => {
                let ahead = plan.clock(&self.settings);
                self.nodes[at].tell(&format!("clock {ahead}"));
            }
            Kind::Deploy => {
                self.nodes[at].is_older = true;
                self.ask_to_end(at)?;
            }
            Kind::Cut => self.nodes[at].tell("cut on"),
            _ => anyhow::bail!("`{}` is not done to nodes", kind.name()),
        }
        self.remember(fault, kind, Some(number), plan);
        Ok(())
    }

    /// Cuts the way of every node that nothing else is done to. The processes live on to the end, so nobody else looks after what is lost now.
    pub(crate) fn cut_all(&mut self, plan: &mut Plan) -> Result<()> {
        for at in 0..self.nodes.len() {
            let number = self.nodes[at].number;
            let is_touched = self.open.iter().any(|it| it.node == Some(number));
            if self.nodes[at].is_up() && !is_touched {
                self.begin_on(Kind::Cut, at, plan)?;
            }
        }
        Ok(())
    }

    fn remember(&mut self, at: usize, kind: Kind, node: Option<usize>, plan: &mut Plan) {
        let lasts = if matches!(kind, Kind::Kill | Kind::Term) {
            // Until the process has ended, however long that takes.
            self.settings.deadline()
        } else {
            plan.length(kind, &self.settings)
        };
        self.open.push(Open {
            at,
            kind,
            node,
            until: Instant::now() + lasts,
        });
    }

    async fn end(&mut self, open: &Open, place: &mut Place) -> Result<()> {
        let Some(number) = open.node else {
            place
                .end(open.kind)
                .await
                .with_context(|| format!("cannot end `{}`", open.kind.name()))?;
            return self.log.end(open.at);
        };
        let node = &mut self.nodes[number - 1];
        match open.kind {
            Kind::Stop => {
                node.signal(Signal::CONT)?;
                self.calm = None;
            }
            Kind::Clock => node.tell("clock 0"),
            Kind::Cut => node.tell("cut off"),
            Kind::Deploy => {
                node.is_older = false;
                self.ask_to_end(number - 1)?;
            }
            _ => {}
        }
        self.log.end(open.at)
    }

    fn ask_to_end(&mut self, at: usize) -> Result<()> {
        if !self.nodes[at].is_up() {
            return Ok(());
        }
        let (number, generation) = (self.nodes[at].number, self.nodes[at].generation);
        if let Some(life) = self.life(number, generation) {
            life.asked = Some(Moment::now());
        }
        self.nodes[at].is_ending = true;
        self.nodes[at].signal(Signal::TERM)
    }

    /// Ends every fault that is going on.
    pub(crate) async fn heal(&mut self, place: &mut Place) -> Result<()> {
        let ending = |it: &Open| !matches!(it.kind, Kind::Kill | Kind::Term);
        while let Some(at) = self.open.iter().position(ending) {
            let open = self.open.remove(at);
            self.end(&open, place).await?;
        }
        Ok(())
    }

    /// How many nodes should be living members.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Asks every node to end, and answers when all have, or those that have not when the time is over.
    pub(crate) async fn stop(&mut self, within: Duration) -> Result<Vec<usize>> {
        let until = Instant::now() + within;
        for at in 0..self.nodes.len() {
            self.ask_to_end(at)?;
        }
        loop {
            let mut left = Vec::new();
            for at in 0..self.nodes.len() {
                self.nodes[at].look()?;
                if let Some(ending) = self.nodes[at].reap(&self.children)? {
                    self.has_ended(at, ending)?;
                }
                if matches!(self.nodes[at].state, State::Up(_)) {
                    left.push(self.nodes[at].number);
                }
            }
            if left.is_empty() || Instant::now() >= until {
                for number in &left {
                    self.nodes[number - 1].signal(Signal::KILL)?;
                }
                return Ok(left);
            }
            crate::waiting::look().await;
        }
    }
}
