//! Ansible's INI format.

use std::fmt::Write;

use winrm_fleet::{InventoryError, MAX_HOSTS, Note, Place, RangeProblem};

use super::{error, group, host, names, parse, user};

#[test]
fn hosts_have_variables_and_groups() {
    let inventory = parse(
        r#"
        mail.example.com            # in no group
        ; a comment

        [web]
        web01 ansible_host=10.0.0.1 ansible_user='EX\ops' ansible_port=5986 # first
        web02:5985 ansible_winrm_scheme=http http_port=80
        [db] # the other
        db01 ansible_user="EX\\d b"
        web02 ansible_host=10.0.0.2
        "#,
    );
    assert_eq!(names(&inventory), ["mail.example.com", "web01", "web02", "db01"]);
    let web01 = host(&inventory, "web01");
    assert_eq!(web01.address.as_deref(), Some("10.0.0.1"));
    assert_eq!(web01.user.as_deref(), Some(r"EX\ops"));
    assert_eq!((web01.port, web01.line), (Some(5986), Some(6)));
    let web02 = host(&inventory, "web02");
    assert_eq!((web02.port, web02.scheme.as_deref()), (Some(5985), Some("http")));
    assert_eq!(web02.address.as_deref(), Some("10.0.0.2"), "lines of a host add up");
    assert_eq!(user(&inventory, "db01"), Some(r"EX\d b"));
    assert_eq!(group(&inventory, "web"), ["web01", "web02"]);
    assert_eq!(group(&inventory, "db"), ["web02", "db01"]);
    assert_eq!(group(&inventory, "ungrouped"), ["mail.example.com"]);
    assert_eq!(group(&inventory, "all"), names(&inventory));
    assert_eq!(inventory.notes(), []);
}

#[test]
fn ranges_make_hosts() {
    let inventory = parse("[web]\nweb[08:10].x:5986 ansible_user=ops\ndb-[a:c]\nn[1:10:4]\n");
    assert_eq!(
        names(&inventory),
        ["web08.x", "web09.x", "web10.x", "db-a", "db-b", "db-c", "n1", "n5", "n9"]
    );
    assert!(inventory.hosts()[..3].iter().all(|host| host.port == Some(5986) && host.line == Some(2)));
    assert_eq!(user(&inventory, "web10.x"), Some("ops"));
    // A range alone tells the format.
    assert_eq!(names(&parse("web[1:2]")), ["web1", "web2"]);
}

#[test]
fn addresses_are_no_ranges_and_no_sections() {
    let inventory = parse("[v6]\n[::1]:5985\n[fe80::2]\n::3\n");
    assert_eq!(names(&inventory), ["::1", "fe80::2", "::3"]);
    let ports: Vec<_> = inventory.hosts().iter().map(|host| host.port).collect();
    assert_eq!(ports, [Some(5985), None, None]);
}

#[test]
fn children_inherit_and_the_nearest_group_wins() {
    let inventory = parse(
        "[web]\nweb01\nweb02 ansible_user=own\n[db]\ndb01\n\
         [site:children]\nweb\ndb # both\n[everything:children]\nsite\n\
         [all:vars]\nansible_user=all\nansible_port=1\nansible_host=all\n\
         [everything:vars]\nansible_user=everything\nansible_port=2\n\
         [site:vars]\nansible_user = site\n\
         [web:vars]\nansible_user='we b' # near\n",
    );
    let web01 = host(&inventory, "web01");
    assert_eq!(web01.user.as_deref(), Some("we b"));
    assert_eq!((web01.port, web01.address.as_deref()), (Some(2), Some("all")));
    assert_eq!(user(&inventory, "web02"), Some("own"));
    assert_eq!(user(&inventory, "db01"), Some("site"));
    assert_eq!(group(&inventory, "site"), ["web01", "web02", "db01"]);
    assert_eq!(group(&inventory, "everything"), ["web01", "web02", "db01"]);
    assert_eq!(
        inventory.group_names().collect::<Vec<_>>(),
        ["all", "db", "everything", "site", "ungrouped", "web"]
    );
}

#[test]
fn ungrouped_are_those_in_no_other_group() {
    let inventory = parse("a\nb\n[all]\nc\n[web]\nb\n[ungrouped:vars]\nansible_user=loose\n");
    assert_eq!(group(&inventory, "ungrouped"), ["a", "c"]);
    assert_eq!(["a", "b", "c"].map(|name| user(&inventory, name)), [Some("loose"), None, Some("loose")]);
}

#[test]
fn depth_counts_before_priority_and_priority_before_names() {
    let groups = "[a]\nh\n[b]\nh\n[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n";
    assert_eq!(user(&parse(groups), "h"), Some("b"));
    let priority = format!("{groups}[a:vars]\nansible_group_priority=10\n");
    assert_eq!(user(&parse(&priority), "h"), Some("a"));
    let depth = format!("{priority}[top:children]\nb\n");
    assert_eq!(user(&parse(&depth), "h"), Some("b"));
}

#[test]
fn the_variables_of_the_connection_win() {
    let inventory = parse(
        "a ansible_port=1 ansible_winrm_port=2 ansible_psrp_port=3 ansible_winrm_user=w ansible_user=u\n\
         b ansible_connection=psrp ansible_port=1 ansible_winrm_port=2 ansible_psrp_port=3 ansible_psrp_protocol=https\n\
         c ansible_connection=ansible.builtin.psrp ansible_host=c1 ansible_psrp_host=c2\n",
    );
    assert_eq!((host(&inventory, "a").port, user(&inventory, "a")), (Some(2), Some("w")));
    assert_eq!(host(&inventory, "b").port, Some(3));
    assert_eq!(host(&inventory, "b").scheme.as_deref(), Some("https"));
    assert_eq!(host(&inventory, "c").address.as_deref(), Some("c2"));
    assert_eq!(inventory.notes(), []);
}

#[test]
fn other_connections_are_told() {
    let inventory =
        parse("[w]\na\nb ansible_connection=winrm\nc\n[l]\nd\n[all:vars]\nansible_connection=ssh\n");
    let hosts = ["a", "c", "d"].map(str::to_owned).to_vec();
    assert_eq!(inventory.notes(), [Note::OtherConnection { connection: "ssh".to_owned(), hosts }]);
    assert_eq!(inventory.notes()[0].to_string(), "ansible_connection is ssh, not winrm or psrp: a, c, d");
    assert_eq!(names(&inventory), ["a", "b", "c", "d"]);
}

#[test]
fn what_is_not_read_is_told() {
    let inventory = parse(
        "a ansible_winrm_transport=kerberos ansible_winrm_server_cert_validation=ignore x=1\n\
         b ansible_host='{{ inventory_hostname }}.example.com' ansible_user=EX\\ops\n",
    );
    assert_eq!(host(&inventory, "b").address, None);
    assert_eq!(user(&inventory, "b"), Some("EXops"));
    let notes: Vec<_> = inventory.notes().iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "line 2: a backslash outside of quotes is dropped: quote the value to keep it",
            "templates are not evaluated, so these are ignored: ansible_host at line 2",
            "these variables are not read: ansible_winrm_server_cert_validation, ansible_winrm_transport",
        ]
    );
}

#[test]
fn passwords_are_nowhere() {
    let inventory = parse(
        "[web]\na ansible_password=hunter2 ansible_winrm_pass='hunter2' ansible_ssh_pass=\"hunter2 #\"\n\
         b ansible_winrm_password=hunter2 db_password=hunter2 ansible_user=$ANSIBLE_VAULT;hunter2\n\
         [web:vars]\nansible_password = hunter2\nansible_become_pass='hunter2'\n",
    );
    assert_eq!(inventory.notes(), [Note::SecretsIgnored { place: Place::Line(2) }]);
    assert_eq!(
        inventory.notes()[0].to_string(),
        "passwords and vaulted values in it are ignored: the first is at line 2"
    );
    assert!(!format!("{inventory:?}").contains("hunter2"));
    for text in [
        "[w]\na ansible_password='hunter2",
        "[w]\na ansible_password=correct hunter2",
        "[w]\nansible_password=hunter2",
        "[w]\nansible_password:hunter2",
        "[w]\nansible_password: hunter2",
        "[w]\n'a ansible_password=hunter2'",
        "[w:vars]\nansible_password: hunter2\n[w]\na",
        "[w:vars]\nansible_password: x=hunter2\n[w]\na",
        "[w:children]\nansible_password=hunter2",
        "[w:children]\nansible_password:hunter2",
        "[w]\na ansible_password=hunter2 ansible_port=hunter2",
        "{\"w\": {\"hosts\": [\"a\"], \"vars\": {\"ansible_password\": \"hunter2\" \"x\"}}}",
        "{\"w\": {\"hosts\": \"hunter2\"}}",
        "{\"w\": \"hunter2\"}",
        "http://ops:hunter2@web/",
    ] {
        let error = error(text);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn mistakes_are_told_with_their_line() {
    let range = |problem| InventoryError::Range { line: 2, problem };
    assert_eq!(error("[w]\nn[3:1]"), range(RangeProblem::Backwards));
    assert_eq!(error("[w]\nn[01:100]"), range(RangeProblem::Widths));
    assert_eq!(error("[w]\nn[1]"), range(RangeProblem::Malformed));
    assert_eq!(error("[w]\na b"), InventoryError::ExpectedAssignment { line: 2 });
    assert_eq!(error("[w]\na 'b=c"), InventoryError::UnclosedQuote { line: 2 });
    assert_eq!(error("[w]\na=b"), InventoryError::NoHost { line: 2 });
    assert_eq!(error("a\n[w:hostvars]"), InventoryError::UnknownSection { line: 2 });
    assert_eq!(error("[w]\na:99999"), InventoryError::Port { place: Place::Line(2) });
    assert_eq!(error("[w]\na\n[w:vars]\nansible_port=x"), InventoryError::Port { place: Place::Line(4) });
    assert_eq!(error("[w]\na ansible_port=0"), InventoryError::Port { place: Place::Line(2) });
    assert_eq!(error("[w]\na\\ b"), InventoryError::NotAHost { place: Place::Line(2) });
    assert_eq!(error("[w:children]\na b"), InventoryError::ExpectedGroup { line: 2 });
    assert_eq!(error("[w]\na\n[w:vars]\nx"), InventoryError::ExpectedAssignment { line: 4 });
}

#[test]
fn groups_are_defined_somewhere() {
    let undefined = |line, group: &str| InventoryError::UndefinedGroup { line, group: group.to_owned() };
    assert_eq!(error("a\n[w:vars]\nx=1"), undefined(2, "w"));
    assert_eq!(error("[w:children]\n# c\nv"), undefined(3, "v"));
    assert_eq!(names(&parse("[w:vars]\nx=1\n[top:children]\nw\n[w:hosts]\na")), ["a"]);
    assert_eq!(names(&parse("a\n[all:vars]\nx=1\n[ungrouped:vars]\nx=1")), ["a"]);
}

#[test]
fn loops_of_groups_are_told() {
    let of = |group: &str| InventoryError::GroupLoop { group: group.to_owned() };
    // The group below the loop is not the one to look at.
    assert_eq!(error("[x]\na\n[b:children]\nc\n[c:children]\nb\nx"), of("b"));
    assert_eq!(error("[b:children]\nb"), of("b"));
    assert_eq!(error("[b:children]\nall"), of("b"));
}

#[test]
fn groups_may_share_children() {
    let inventory = parse("[x]\na\n[l:children]\nx\n[r:children]\nx\nx\n[top:children]\nl\nr\n");
    assert_eq!(group(&inventory, "top"), ["a"]);
}

#[test]
fn ranges_are_bounded_together() {
    let fits = format!("[w]\na[1:{}]\nb", MAX_HOSTS - 1);
    assert_eq!(parse(&fits).hosts().len(), MAX_HOSTS);
    let too_many = InventoryError::TooManyHosts { line: 3, limit: MAX_HOSTS };
    assert_eq!(error(&format!("[w]\na[1:{}]\nb[1:2]", MAX_HOSTS - 1)), too_many);
    assert_eq!(error("[w]\nx\n[0:9999][0:9999][0:9999][0:9999][0:9999]"), too_many);
}

#[test]
fn deep_chains_of_groups_are_no_trouble() {
    let mut text = "[g0]\na\n[g0:vars]\nansible_user=deep\n".to_owned();
    for depth in 1..3000 {
        let below = depth - 1;
        write!(text, "[g{depth}:children]\ng{below}\n[g{depth}:vars]\nansible_user=no\n").unwrap();
    }
    let inventory = parse(&text);
    assert_eq!(user(&inventory, "a"), Some("deep"));
    assert_eq!(group(&inventory, "g2999"), ["a"]);
}

#[test]
fn a_port_alone_is_no_host() {
    for text in ["[w]\n:5985", "[w]\na\n:80 ansible_user=u"] {
        assert!(matches!(error(text), InventoryError::NotAHost { .. }), "{text}");
    }
}
