//! The global variables there are before the configuration's first line: FreeSWITCH's (switch_core.c), and a password.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};

use chappe_event::Identity;

/// The folders of a server, FreeSWITCH's SWITCH_GLOBAL_dirs.
#[derive(Clone, Debug)]
pub struct Folders {
    conf: PathBuf,
    base: PathBuf,
    log: PathBuf,
    data: PathBuf,
    run: PathBuf,
}

impl Folders {
    /// Those that go with a configuration folder: the system's for one below /etc; else all in one place, the folder
    /// around it when it is called `conf`, as FreeSWITCH's own tree has it.
    pub fn of(conf: &Path) -> Self {
        if conf.starts_with("/etc") {
            return Self {
                conf: conf.to_owned(),
                base: conf.to_owned(),
                log: "/var/log/chappe".into(),
                data: "/var/lib/chappe".into(),
                run: "/run/chappe".into(),
            };
        }
        let base = match conf.parent() {
            Some(parent) if conf.ends_with("conf") => parent,
            _ => conf,
        };
        Self {
            conf: conf.to_owned(),
            base: base.to_owned(),
            log: base.join("log"),
            data: base.to_owned(),
            run: base.join("run"),
        }
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("base_dir", self.base.clone()),
            ("recordings_dir", self.data.join("recordings")),
            ("sound_prefix", self.data.join("sounds")),
            ("sounds_dir", self.data.join("sounds")),
            ("conf_dir", self.conf.clone()),
            ("log_dir", self.log.clone()),
            ("run_dir", self.run.clone()),
            ("db_dir", self.data.join("db")),
            ("mod_dir", self.base.join("mod")),
            ("htdocs_dir", self.base.join("htdocs")),
            ("script_dir", self.base.join("scripts")),
            ("temp_dir", std::env::temp_dir()),
            ("grammar_dir", self.base.join("grammar")),
            ("fonts_dir", self.base.join("fonts")),
            ("images_dir", self.data.join("images")),
            ("certs_dir", self.base.join("certs")),
            ("storage_dir", self.data.join("storage")),
            ("cache_dir", self.data.join("cache")),
            ("data_dir", self.data.clone()),
            ("localstate_dir", self.data.clone()),
        ]
    }
}

/// What the variables say about this machine and this start.
pub struct Machine {
    pub hostname: String,
    pub ipv4: String,
    pub ipv6: String,
    pub core_uuid: String,
    /// What `default_password` is while the configuration does not set it.
    pub password: String,
}

impl Machine {
    pub fn look(core_uuid: String, password: String) -> Self {
        let text =
            |ip: Option<IpAddr>, loopback: &str| ip.map_or_else(|| loopback.to_owned(), |ip| ip.to_string());
        Self {
            hostname: hostname(),
            ipv4: text(own_address("0.0.0.0:0", "192.0.2.1:9"), "127.0.0.1"),
            ipv6: text(own_address("[::]:0", "[2001:db8::1]:9"), "::1"),
            core_uuid,
            password,
        }
    }

    pub fn identity(&self) -> Identity {
        Identity {
            core_uuid: self.core_uuid.clone(),
            hostname: self.hostname.clone(),
            switchname: self.hostname.clone(),
            ipv4: self.ipv4.clone(),
            ipv6: self.ipv6.clone(),
        }
    }

    /// The presets, in FreeSWITCH's order.
    pub fn presets(&self, folders: &Folders) -> Vec<(String, String)> {
        let mut presets = vec![
            ("hostname".to_owned(), self.hostname.clone()),
            ("local_ip_v4".to_owned(), self.ipv4.clone()),
            ("local_mask_v4".to_owned(), mask_of(&self.ipv4)),
            ("local_ip_v6".to_owned(), self.ipv6.clone()),
        ];
        let folders = folders.variables().into_iter();
        presets.extend(folders.map(|(name, path)| (name.to_owned(), path.display().to_string())));
        presets.push(("core_uuid".to_owned(), self.core_uuid.clone()));
        presets.push(("domain".to_owned(), self.ipv4.clone()));
        presets.push(("default_password".to_owned(), self.password.clone()));
        presets
    }
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// The address this machine would use to reach another; FreeSWITCH switch_find_local_ip asks the same way. Connecting a
/// UDP socket sends nothing.
fn own_address(from: &str, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

/// The mask of the network that an address of this machine is in.
fn mask_of(ip: &str) -> String {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let mask = ip.parse().ok().and_then(|ip| find_mask(&routes, ip));
    mask.unwrap_or(Ipv4Addr::new(255, 255, 255, 0)).to_string()
}

/// The longest mask among the kernel's routes, bar the default one, to a network with the address in it. Its table has
/// the destination in the second column and the mask in the eighth, as hexadecimal numbers in the machine's byte order.
fn find_mask(routes: &str, ip: Ipv4Addr) -> Option<Ipv4Addr> {
    let ip = u32::from_ne_bytes(ip.octets());
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let masks = routes.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (network, mask) = (number(columns.get(1)?)?, number(columns.get(7)?)?);
        (mask != 0 && ip & mask == network).then_some(Ipv4Addr::from(mask.to_ne_bytes()))
    });
    masks.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn the_mask_is_that_of_the_network() {
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
            eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\n\
            eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n";
        assert_eq!(find_mask(routes, Ipv4Addr::new(172, 17, 0, 2)), Some(Ipv4Addr::new(255, 255, 0, 0)));
        assert_eq!(find_mask(routes, Ipv4Addr::new(10, 0, 0, 2)), None);
    }

    #[test]
    fn folders_follow_the_configuration() {
        for (conf, log, script) in [
            ("/srv/fs/conf", "/srv/fs/log", "/srv/fs/scripts"),
            ("/srv/golden", "/srv/golden/log", "/srv/golden/scripts"),
            ("/etc/chappe", "/var/log/chappe", "/etc/chappe/scripts"),
        ] {
            let machine = Machine {
                hostname: "box".into(),
                ipv4: "192.0.2.7".into(),
                ipv6: "::1".into(),
                core_uuid: "u".into(),
                password: "secret".into(),
            };
            let presets = machine.presets(&Folders::of(Path::new(conf)));
            let get =
                |name: &str| presets.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            assert_eq!(get("conf_dir"), Some(conf));
            assert_eq!(get("log_dir"), Some(log));
            assert_eq!(get("script_dir"), Some(script));
            assert_eq!(get("domain"), Some("192.0.2.7"));
        }
    }
}
