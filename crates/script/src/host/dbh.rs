//! `Dbh`: databases. FreeSWITCH freeswitch_lua.cpp `Dbh`, freeswitch_python.cpp.

mod connection;
mod dsn;
mod pgsql;
mod sqlite;

pub(crate) use connection::Connections;
use connection::{Connection, Rows};
use dsn::Dsn;

use super::Kind::{Function as Callback, Text};
use super::{Function, NEW, needed, optional};
use crate::{HostError, Object, Run, Value};

const OBJECT: Object = Object::Dbh;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: NEW,
        arguments: &[needed("dsn", Text), optional("user", Text), optional("password", Text)],
        returns: "the handle; ask connected() whether it is",
        doc: "A connection to `sqlite://path` or `pgsql://parameters`.",
        run: new,
    },
    Function {
        object: OBJECT,
        name: "connected",
        arguments: &[],
        returns: "true or false",
        doc: "Whether there is a connection.",
        run: connected,
    },
    Function {
        object: OBJECT,
        name: "query",
        arguments: &[needed("sql", Text), optional("callback", Callback)],
        returns: "whether it worked",
        doc: "Run SQL; the callback gets each row as a table, until it returns something other than 0.",
        run: query,
    },
    Function {
        object: OBJECT,
        name: "query_rows",
        arguments: &[needed("sql", Text)],
        returns: "whether it worked, the rows, an error's text",
        doc: "Run SQL and get all rows.",
        run: query_rows,
    },
    Function {
        object: OBJECT,
        name: "affected_rows",
        arguments: &[],
        returns: "number",
        doc: "How many rows the last query changed.",
        run: affected_rows,
    },
    Function {
        object: OBJECT,
        name: "test_reactive",
        arguments: &[needed("test_sql", Text), optional("drop_sql", Text), optional("reactive_sql", Text)],
        returns: "whether the table is there",
        doc: "Run test_sql; where it fails, drop_sql and reactive_sql.",
        run: test_reactive,
    },
    Function {
        object: OBJECT,
        name: "last_error",
        arguments: &[],
        returns: "text, or nil",
        doc: "What was wrong with the last query.",
        run: last_error,
    },
    Function {
        object: OBJECT,
        name: "clear_error",
        arguments: &[],
        returns: "",
        doc: "Forget the last error.",
        run: clear_error,
    },
    Function {
        object: OBJECT,
        name: "load_extension",
        arguments: &[needed("name", Text)],
        returns: "1",
        doc: "Extensions of SQLite are not loaded: it says that it failed.",
        run: |_, _| Ok(Value::Integer(1)),
    },
    Function {
        object: OBJECT,
        name: "release",
        arguments: &[],
        returns: "whether there was a connection",
        doc: "Give the connection back.",
        run: release,
    },
];

/// A script's database handle.
#[derive(Default)]
pub struct Dbh {
    connection: Option<Connection>,
    error: Option<String>,
}

fn new(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let mut text = args[0].text().into_owned();
    if let Some(user) = args[1].given() {
        text = format!("{text}:{user}:{}", args[2].text());
    }
    let folder = run.world().globals().get("db_dir");
    let connected = Dsn::parse(&text, folder.as_deref().unwrap_or_default())
        .ok_or_else(|| "only sqlite:// and pgsql:// are built in".to_owned())
        .and_then(|dsn| Connection::open(run, dsn));
    let dbh = match connected {
        Ok(connection) => Dbh { connection: Some(connection), error: None },
        Err(error) => {
            tracing::error!("Connection failed.  DBH NOT Connected.");
            tracing::error!("failed to connect to a database: {error}");
            Dbh { connection: None, error: Some(error) }
        }
    };
    run.add_dbh(dbh)
}

fn connected(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    Ok(run.dbh(&args[0])?.connection.is_some().into())
}

fn query(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let wants_rows = matches!(args[2], Value::Function);
    match rows(run, &args[0], &args[1])? {
        Some(rows) if wants_rows => Ok(Value::List(rows)),
        Some(_) => Ok(true.into()),
        None => Ok(false.into()),
    }
}

fn query_rows(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let rows = rows(run, &args[0], &args[1])?;
    let error = run.dbh(&args[0])?.error.clone();
    Ok(Value::Several(vec![rows.is_some().into(), Value::List(rows.unwrap_or_default()), error.into()]))
}

/// Runs the SQL; `None` when it fails, which the log and `last_error` tell of.
fn rows(run: &mut Run, dbh: &Value, sql: &Value) -> Result<Option<Rows>, HostError> {
    run.dbh(dbh)?.error = None;
    let Some(sql) = sql.given() else {
        tracing::error!("Missing SQL query.");
        run.dbh(dbh)?.error = Some("Missing SQL query.".to_owned());
        return Ok(None);
    };
    let Some(mut connection) = run.dbh(dbh)?.connection.take() else {
        tracing::error!("DBH NOT Connected.");
        return Ok(None);
    };
    let answer = connection.query(run, &sql);
    // A query that was cut off leaves a connection that nobody can use.
    let usable = run.check();
    let handle = run.dbh(dbh)?;
    if usable.is_ok() {
        handle.connection = Some(connection);
    }
    usable?;
    match answer {
        Ok(rows) => Ok(Some(rows)),
        Err(error) => {
            tracing::error!("SQL ERR: [{sql}] {error}");
            handle.error = Some(error);
            Ok(None)
        }
    }
}

fn affected_rows(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let connection = run.dbh(&args[0])?.connection.as_ref();
    let affected = connection.map_or(0, Connection::affected);
    Ok(Value::Integer(i64::try_from(affected).unwrap_or(i64::MAX)))
}

/// FreeSWITCH switch_core_sqldb.c `switch_cache_db_test_reactive`.
fn test_reactive(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    if args[1].given().is_none() || args[3].given().is_none() {
        tracing::error!("Missing parameters.");
        return Ok(false.into());
    }
    if rows(run, &args[0], &args[1])?.is_some() {
        return Ok(true.into());
    }
    if args[2].given().is_some() {
        rows(run, &args[0], &args[2])?;
    }
    Ok(rows(run, &args[0], &args[3])?.is_some().into())
}

fn last_error(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    Ok(run.dbh(&args[0])?.error.clone().into())
}

fn clear_error(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    run.dbh(&args[0])?.error = None;
    Ok(Value::Nil)
}

fn release(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let connection = run.dbh(&args[0])?.connection.take();
    let released = connection.is_some();
    if let Some(connection) = connection {
        connection.give_back(run);
    } else {
        tracing::error!("DBH NOT Connected.");
    }
    Ok(released.into())
}
