//! `freeswitch.Dbh`.

use crate::world::World;

#[test]
fn sqlite() {
    let world = World::new();
    let path = world.folder.path().join("a.db").display().to_string();
    let code = format!(
        "local dbh = freeswitch.Dbh('sqlite://{path}') assert(dbh:connected()) \
         assert(dbh:test_reactive('select * from users', 'drop table users', 'create table users (name, number)')) \
         assert(dbh:query(\"insert into users values ('ann', 1001), ('bob', null)\")) \
         stream:write(dbh:affected_rows() .. ' ') \
         dbh:query('select name, number from users order by name', function(row) stream:write(row.name .. '=' .. row.number .. ' ') end) \
         local seen = 0 dbh:query('select * from users', function() seen = seen + 1 return 1 end) stream:write(seen .. ' ') \
         local fine, rows = dbh:query_rows('select count(*) as n from users') stream:write(rows[1].n .. ' ') \
         stream:write(tostring(dbh:query('select nonsense')) .. ' ' .. dbh:last_error() .. ' ') \
         stream:write(tostring(dbh:release()) .. tostring(dbh:release()) .. tostring(dbh:connected()))"
    );
    assert_eq!(world.code(&code).text(), "2 ann=1001 bob= 1 2 false no such column: nonsense truefalsefalse");
}

#[test]
fn a_query_that_never_ends_is_ended() {
    let world = World::new();
    let code = "freeswitch.Dbh('sqlite://:memory:'):query('with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c')";
    assert!(world.code(code).error().contains("time-limit"));
}

#[test]
fn what_can_not_be_connected_says_so() {
    let world = World::new();
    for dsn in ["sqlite:///nosuch/folder/a.db", "odbc://a", "pgsql://host=127.0.0.1 port=1 user=x dbname=x"] {
        let code = format!(
            "local d = freeswitch.Dbh('{dsn}') stream:write(tostring(d:connected()) .. tostring(d:query('select 1')))"
        );
        assert_eq!(world.code(&code).text(), "falsefalse", "{dsn}");
    }
}
