//! Which servers a test run has: by URL, private ones, or none, and what that means.

use std::process::Command;

use anyhow::{Result, bail};

use super::Server;
use crate::report::say;

/// The servers of one test run. Private ones end when this is dropped, and also when this process is killed.
#[derive(Debug)]
pub(crate) struct Supply {
    urls: Vec<(Server, String)>,
    absent: Vec<(Server, String)>,
    #[cfg(unix)]
    private: Vec<super::private::Supervised>,
}

impl Supply {
    /// Finds or starts all servers. `install` allows to install their programs.
    ///
    /// # Errors
    /// Where a server that `TASKS_TEST_REQUIRE` names (`CI=true`: all) is absent.
    pub(crate) fn for_tests(install: bool) -> Result<Self> {
        Self::of(&Server::ALL, install)
    }

    /// Finds or starts these servers.
    ///
    /// # Errors
    /// As [`for_tests`](Self::for_tests).
    pub(crate) fn of(servers: &[Server], install: bool) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        let required = required(
            variable("TASKS_TEST_REQUIRE").as_deref(),
            variable("CI").as_deref(),
        )?;
        let mut supply = Self {
            urls: Vec::new(),
            absent: Vec::new(),
            #[cfg(unix)]
            private: Vec::new(),
        };
        for server in servers.iter().copied() {
            if let Some(url) = variable(server.variable()) {
                say(format_args!("{server}: given by {}", server.variable()));
                supply.urls.push((server, url));
            } else if let Err(error) = supply.start(server, install) {
                if required.contains(&server) {
                    return Err(error.context(format!("{server} is required for the tests")));
                }
                supply.absent.push((server, format!("{error:#}")));
            }
        }
        Ok(supply)
    }

    #[cfg(unix)]
    fn start(&mut self, server: Server, install: bool) -> Result<()> {
        let supervised = super::private::start(server, install)?;
        say(format_args!(
            "{server}: {}, started for the tests",
            supervised.version()
        ));
        self.urls.push((server, supervised.url().to_owned()));
        self.private.push(supervised);
        Ok(())
    }

    #[cfg(not(unix))]
    fn start(&mut self, server: Server, _: bool) -> Result<()> {
        bail!("{} is not set", server.variable())
    }

    /// The URL of this server, and the socket that restarts it where it is a private one.
    pub(crate) fn find(&self, server: Server) -> Option<(&str, Option<&std::path::Path>)> {
        let (_, url) = self.urls.iter().find(|it| it.0 == server)?;
        #[cfg(unix)]
        let control = self
            .private
            .iter()
            .find(|it| it.url() == url)
            .map(super::private::Supervised::control);
        #[cfg(not(unix))]
        let control = None;
        Some((url, control))
    }

    /// A line for each server without tests.
    pub(crate) fn untested(&self) -> impl Iterator<Item = String> {
        self.absent
            .iter()
            .map(|(server, why)| format!("{server} ({why})"))
    }

    /// Tells a test runner where the servers are, and leaves out the tests of absent ones. `nextest` says which runner it is.
    pub(crate) fn tell(&self, tests: &mut Command, nextest: bool) {
        for (server, url) in &self.urls {
            tests.env(server.variable(), url);
        }
        if self.absent.is_empty() {
            return;
        }
        // Modules of tests that need a server are named for it: `store_postgres`, `engine_mysql`.
        let modules: Vec<String> = self
            .absent
            .iter()
            .map(|(server, _)| format!("_{}::", server.key()))
            .collect();
        if nextest {
            let filters: Vec<String> = modules.iter().map(|it| format!("not test({it})")).collect();
            tests.args(["-E", &filters.join(" and ")]);
        } else {
            tests.arg("--");
            for module in modules {
                tests.args(["--skip", &module]);
            }
        }
    }
}

/// Servers without which the tests fail.
pub(super) fn required(list: Option<&str>, ci: Option<&str>) -> Result<Vec<Server>> {
    if ci == Some("true") {
        return Ok(Server::ALL.to_vec());
    }
    let mut servers = Vec::new();
    for name in list.unwrap_or_default().split(',').map(str::trim) {
        match Server::ALL.into_iter().find(|it| it.key() == name) {
            Some(server) => servers.push(server),
            None if name.is_empty() => {}
            None => bail!("TASKS_TEST_REQUIRE names `{name}`; expected postgres, mysql or both with a comma"),
        }
    }
    Ok(servers)
}
