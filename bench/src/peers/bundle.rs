//! What crun and runc read: `config.json` of the OCI runtime specification, with the namespaces of a launch of ours.

use std::path::Path;

/// The container's root is mapped to uid 1000, for both runtimes become root in it whatever the App's uid is.
pub(super) fn config(root: &Path, app: &[String]) -> String {
    let arguments: Vec<String> = app.iter().map(|word| format!("\"{word}\"")).collect();
    let namespaces = ["pid", "ipc", "uts", "mount", "user"];
    let namespaces = namespaces.map(|kind| format!("{{\"type\":\"{kind}\"}}"));
    let map = r#"[{"containerID":0,"hostID":1000,"size":1}]"#;
    format!(
        r#"{{"ociVersion":"1.0.2",
"process":{{"terminal":false,"user":{{"uid":0,"gid":0}},"args":[{}],"env":["PATH=/bin"],"cwd":"/","noNewPrivileges":true}},
"root":{{"path":"{}","readonly":false}},"hostname":"rocker-bench",
"mounts":[{{"destination":"/proc","type":"proc","source":"proc"}},
{{"destination":"/dev","type":"bind","source":"/dev","options":["rbind"]}}],
"linux":{{"namespaces":[{}],"uidMappings":{map},"gidMappings":{map}}}}}
"#,
        arguments.join(","),
        root.display(),
        namespaces.join(",")
    )
}
