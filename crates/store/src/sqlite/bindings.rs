//! The table of bindings.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::code::{In, Out};
use super::fault::Fault;
use crate::binding::BindingKey;
use crate::{KeptBinding, Micros, Pieces};

/// Writes one, or removes it.
pub fn write(connection: &Connection, key: &BindingKey, binding: Option<&KeptBinding>) -> Result<(), Fault> {
    let (profile, aor, contact, flow) = key;
    match binding {
        Some(binding) => {
            let mut insert = connection
                .prepare_cached("INSERT OR REPLACE INTO binding VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            insert.execute(params![profile, aor, contact, flow, binding.expires, encode(binding)])?;
        }
        None => {
            let mut delete = connection.prepare_cached(
                "DELETE FROM binding WHERE profile = ?1 AND aor = ?2 AND contact = ?3 AND flow = ?4",
            )?;
            delete.execute(params![profile, aor, contact, flow])?;
        }
    }
    Ok(())
}

/// What stands behind the flow of a device that is behind a NAT.
const NAT: u8 = 1;

/// Bindings handed out at a time, give or take a user: few enough to be in the cache still when they are looked at.
const PIECE: usize = 1024;

/// Hands out those of a profile that are live, in the order of users, contacts and flows; the others are removed.
pub fn live(
    connection: &Connection,
    profile: &Arc<str>,
    now: Micros,
    pieces: &mut Pieces,
) -> Result<(), Fault> {
    let mut select = connection.prepare_cached(
        "SELECT aor, contact, expires, octets, flow FROM binding WHERE profile = ?1 ORDER BY aor, contact, flow",
    )?;
    let mut rows = select.query([&**profile])?;
    let (mut live, mut damaged, mut is_over) = (Vec::<KeptBinding>::with_capacity(PIECE), Vec::new(), false);
    let mut moved = Vec::new();
    let mut known: Arc<str> = Arc::default();
    while let Some(row) = rows.next()? {
        // What is no number is damage, which comes out below.
        let expires = row.get(2).ok();
        if expires.is_some_and(|expires: Micros| expires <= now) {
            is_over = true;
            continue;
        }
        let (aor, contact): (Arc<str>, Arc<str>) = (row.get(0)?, row.get(1)?);
        if live.len() >= PIECE && live.last().is_some_and(|last| last.aor != aor) {
            let piece = std::mem::replace(&mut live, Vec::with_capacity(PIECE));
            if !pieces(piece) {
                return Ok(());
            }
        }
        let octets = row.get_ref(3)?.as_blob().ok();
        let flow: Box<str> = row.get(4)?;
        match octets.and_then(|octets| decode(octets, profile, &aor, &contact, expires?, &known)) {
            Some(binding) if binding.flow == flow || flow.is_empty() => {
                known = binding.user_agent.clone();
                if binding.flow != flow {
                    moved.push(binding.clone());
                }
                live.push(binding);
            }
            _ => damaged.push((profile.clone(), aor, contact, flow)),
        }
    }
    drop(rows);
    if !live.is_empty() {
        pieces(live);
    }
    if is_over {
        let mut delete =
            connection.prepare_cached("DELETE FROM binding WHERE profile = ?1 AND expires <= ?2")?;
        delete.execute(params![&**profile, now])?;
    }
    // Rows of the first version of the table have no flow of their own.
    for binding in moved {
        write(connection, &binding.key(), Some(&binding))?;
        let (profile, aor, contact, _) = binding.key();
        write(connection, &(profile, aor, contact, Box::default()), None)?;
    }
    for key in damaged {
        tracing::error!("the binding {} of {} is damaged in the store, and forgotten", key.2, key.1);
        write(connection, &key, None)?;
    }
    Ok(())
}

fn encode(binding: &KeptBinding) -> Vec<u8> {
    let mut out = Out::with_capacity(256);
    out.number(binding.q.into());
    out.signed(binding.since);
    out.text(&binding.call_id);
    out.number(binding.cseq.into());
    out.number(binding.path.len() as u64);
    binding.path.iter().for_each(|hop| out.text(hop));
    match binding.received.ip() {
        IpAddr::V4(address) => out.octets(&address.octets()),
        IpAddr::V6(address) => out.octets(&address.octets()),
    }
    out.number(binding.received.port().into());
    out.text(&binding.transport);
    out.text(&binding.user_agent);
    if !binding.flow.is_empty() || binding.is_nat {
        out.text(&binding.flow);
    }
    if binding.is_nat {
        out.octet(NAT);
    }
    out.sealed(&seal(&binding.profile, &binding.aor, &binding.contact, binding.expires))
}

/// `agent` is another binding's User-Agent, to be shared where it is the same: phones are of few kinds.
fn decode(
    octets: &[u8],
    profile: &Arc<str>,
    aor: &Arc<str>,
    contact: &Arc<str>,
    expires: Micros,
    agent: &Arc<str>,
) -> Option<KeptBinding> {
    let mut input = In::unsealed(&seal(profile, aor, contact, expires), octets)?;
    let (q, since) = (input.small()?, input.signed()?);
    let (call_id, cseq) = (input.text()?.into(), input.small()?);
    let path = (0..input.count()?).map(|_| input.text().map(Box::from)).collect::<Option<_>>()?;
    let address = match *input.octets()? {
        ref octets if octets.len() == 4 => IpAddr::from(<[u8; 4]>::try_from(octets).ok()?),
        ref octets => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
    };
    let received = SocketAddr::new(address, input.small()?);
    let (transport, user_agent) = (transport(input.text()?), input.text()?);
    let user_agent = if **agent == *user_agent { agent.clone() } else { user_agent.into() };
    // Rows of earlier versions end here.
    let flow = if input.is_at_end() { Box::default() } else { input.text()?.into() };
    let is_nat = !input.is_at_end() && input.octet()? == NAT;
    let (profile, aor, contact) = (profile.clone(), aor.clone(), contact.clone());
    Some(KeptBinding {
        profile,
        aor,
        contact,
        q,
        expires,
        since,
        call_id,
        cseq,
        path,
        received,
        transport,
        user_agent,
        flow,
        is_nat,
    })
}

/// Without a copy where it is one of those there are.
fn transport(name: &str) -> Cow<'static, str> {
    let known = ["UDP", "TCP", "TLS", "WS", "WSS"].into_iter().find(|known| *known == name);
    known.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed)
}

fn seal(profile: &str, aor: &str, contact: &str, expires: Micros) -> Vec<u8> {
    let mut seal = Vec::with_capacity(profile.len() + aor.len() + contact.len() + 10);
    for (text, end) in [(profile, &b"\n"[..]), (aor, b"\n"), (contact, b"")] {
        seal.extend_from_slice(text.as_bytes());
        seal.extend_from_slice(end);
    }
    seal.extend_from_slice(&expires.to_le_bytes());
    seal
}

#[cfg(test)]
mod tests {
    use super::super::schema::{STEPS, migrate};
    use super::*;

    fn bindings(connection: &Connection) -> Vec<KeptBinding> {
        let mut all = Vec::new();
        let (told, pieces) = std::sync::mpsc::channel();
        live(
            connection,
            &"internal".into(),
            0,
            &mut (Box::new(move |piece| told.send(piece).is_ok()) as Pieces),
        )
        .unwrap();
        pieces.iter().for_each(|piece| all.extend(piece));
        all
    }

    #[test]
    fn flows_of_the_first_version_get_their_place() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS[..1]).unwrap();
        let of_flow = |flow: &str, contact: &str| KeptBinding {
            profile: "internal".into(),
            aor: "bob@example.org".into(),
            contact: contact.into(),
            q: 1000,
            expires: 100,
            since: 0,
            call_id: "c".into(),
            cseq: 1,
            path: Vec::new(),
            received: ([192, 0, 2, 1], 5060).into(),
            transport: "TCP".into(),
            user_agent: "".into(),
            flow: flow.into(),
            is_nat: false,
        };
        let before = [of_flow("1;<urn:uuid:0>", "sip:a"), of_flow("", "sip:b")];
        for binding in &before {
            let row = params!["internal", "bob@example.org", &*binding.contact, 100, encode(binding)];
            connection.execute("INSERT INTO binding VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
        }
        migrate(&mut connection, STEPS).unwrap();
        assert_eq!(bindings(&connection), before);
        // What is written and removed under its own key now is the row of before.
        write(&connection, &before[0].key(), None).unwrap();
        assert_eq!(bindings(&connection), before[1..]);
        write(&connection, &before[1].key(), None).unwrap();
        assert_eq!(bindings(&connection), []);
    }
}
