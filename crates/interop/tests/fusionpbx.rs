//! A Lua script in the manner of FusionPBX's SMS app: the sender's number from a database, a provider reached by curl, a
//! reply to the sender.

mod web;

use chappe_interop::{Agent, Folder, Server};
use web::Web;

const SCRIPT: &str = r#"
local from_user = message:getHeader("from_user")
local to_number = message:getHeader("to_user")
local text = message:getBody()

local function urlencode(value)
  return (value:gsub("[^%w%-_%.]", function(letter) return string.format("%%%02X", letter:byte()) end))
end
local function twice(value)
  return urlencode(urlencode(value))
end

local dbh = freeswitch.Dbh("sqlite://DATABASE")
assert(dbh:connected())
dbh:query("create table if not exists v_destinations (extension text, number text)")
dbh:query("delete from v_destinations")
dbh:query("insert into v_destinations values ('1004', '+15551004')")
local number
dbh:query("select number from v_destinations where extension = '" .. from_user:gsub("'", "''") .. "'", function(row)
  number = row.number
end)
dbh:release()
if not number then
  message:chat_execute("reply", "no number for " .. from_user)
  return
end

-- curl takes off one encoding, the provider the other.
local data = "from=" .. twice(number) .. "&to=" .. to_number .. "&text=" .. twice(text)
local api = freeswitch.API()
local answer = api:execute("curl", "PROVIDER timeout 5 content-type application/x-www-form-urlencoded post " .. data)
local status = answer:match('"status":"(%a+)"') or "failed"
freeswitch.consoleLog("notice", "[sms] " .. number .. " -> " .. to_number .. ": " .. status .. "\n")
message:chat_execute("reply", status .. " as " .. number)
"#;

fn server(provider: &str) -> Server {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let modules = r#"<load module="mod_sms"/><load module="mod_curl"/><load module="mod_lua"/>"#;
    folder.write("freeswitch.xml", &main.replace(r#"<load module="mod_sms"/>"#, modules));
    folder.write(
        "chatplan/default.xml",
        r#"<include>
<context name="default">
  <extension name="outbound"><condition field="to_user" expression="^\+?\d{10,}$">
    <action application="lua" data="sms.lua outbound"/>
  </condition></extension>
</context>
</include>
"#,
    );
    let database = folder.path().join("fusionpbx.db");
    let script = SCRIPT.replace("DATABASE", &database.to_string_lossy()).replace("PROVIDER", provider);
    folder.write("scripts/sms.lua", &script);
    Server::start(folder)
}

#[test]
fn a_message_goes_to_the_provider() {
    let web = Web::start();
    let server = server(&web.url("/Messages.json"));
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("15550001111"), "text/plain", "Hi & good-bye ž".as_bytes()), 200);
    let asked = web.asked();
    assert_eq!(asked.start, "POST /Messages.json");
    let content_type = "content-type: application/x-www-form-urlencoded".to_owned();
    assert!(asked.headers.contains(&content_type), "{asked:?}");
    assert_eq!(asked.body, "from=%2B15551004&to=15550001111&text=Hi%20%26%20good-bye%20%C5%BE");
    assert_eq!(sender.receive().text(), "queued as +15551004");
    server.process.expect("[sms] +15551004 -> 15550001111: queued");
}

#[test]
fn who_has_no_number_is_told() {
    let web = Web::start();
    let server = server(&web.url("/Messages.json"));
    let mut sender = Agent::udp(server.sip(), "1005");
    assert_eq!(sender.register(), 200);
    assert_eq!(sender.message(&server.uri("15550001111"), "text/plain", b"Hi"), 200);
    assert_eq!(sender.receive().text(), "no number for 1005");
}
