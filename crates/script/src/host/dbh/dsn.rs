//! What a Dbh is to be connected to. FreeSWITCH switch_core_sqldb.c `switch_cache_db_get_db_handle_dsn`.

use std::path::{Path, PathBuf};

/// A database.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dsn {
    Sqlite(PathBuf),
    /// The connection's parameters, as libpq has them.
    Pgsql(String),
}

impl Dsn {
    /// `sqlite://path`, `pgsql://parameters`, or the name of a database in `folder`. `None`: another kind.
    pub fn parse(text: &str, folder: &str) -> Option<Self> {
        if let Some(parameters) = text.strip_prefix("pgsql://").or_else(|| text.strip_prefix("postgresql://"))
        {
            // FreeSWITCH's own parameters have no meaning here; a URI's rest is a URI again.
            let is_uri = !parameters.contains('=') || parameters.contains('@');
            return Some(Self::Pgsql(if is_uri {
                format!("postgresql://{parameters}")
            } else {
                plain(parameters)
            }));
        }
        let name = match text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("core:")) {
            Some(name) => name,
            None if text.contains(':') || text.is_empty() => return None,
            None => text,
        };
        let path = Path::new(name);
        let whole = path.is_absolute() || name.starts_with('.') || name == ":memory:";
        Some(Self::Sqlite(if whole { path.to_owned() } else { Path::new(folder).join(format!("{name}.db")) }))
    }
}

/// libpq's parameters without those that only FreeSWITCH's users know.
fn plain(parameters: &str) -> String {
    let known = parameters.split_whitespace().filter_map(|parameter| {
        let parameter = parameter.replacen("hostaddr=", "host=", 1);
        let unknown =
            ["sslmode=disable", "fallback_application_name="].iter().any(|p| parameter.starts_with(p));
        (!unknown).then_some(parameter)
    });
    known.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsns() {
        let sqlite = |path: &str| Some(Dsn::Sqlite(path.into()));
        let pgsql = |text: &str| Some(Dsn::Pgsql(text.into()));
        for (text, expected) in [
            ("sqlite:///tmp/a.db", sqlite("/tmp/a.db")),
            ("sqlite://:memory:", sqlite(":memory:")),
            ("sqlite://a", sqlite("/db/a.db")),
            ("core:a", sqlite("/db/a.db")),
            ("a", sqlite("/db/a.db")),
            ("pgsql://hostaddr=127.0.0.1 dbname=x user=u", pgsql("host=127.0.0.1 dbname=x user=u")),
            ("pgsql://u:p@h/x", pgsql("postgresql://u:p@h/x")),
            ("odbc://a", None),
            ("a:b:c", None),
            ("", None),
        ] {
            assert_eq!(Dsn::parse(text, "/db"), expected, "{text}");
        }
    }
}
