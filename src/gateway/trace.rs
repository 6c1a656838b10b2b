//! The trace of an invocation, as X-Ray names it.

/// The trace of `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
pub(super) fn trace_id(header: &str) -> Option<&str> {
    let id = header.split(';').find_map(|part| part.trim().strip_prefix("Root="))?;
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_the_root_of_the_header() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        for header in [
            format!("Root={root}"),
            format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1"),
            format!("Self=1-a-b; Root={root} ;Lineage=a:0").replace(" ;", ";"),
        ] {
            assert_eq!(trace_id(&header), Some(root), "{header}");
        }
        for none in [
            "",
            "Root=",
            "Root",
            "Sampled=0",
            "root=1-a",
            "Root=1-a\";",
            "Root=1 2",
            &format!("Root={}", "a".repeat(65)),
        ] {
            assert_eq!(trace_id(none), None, "{none}");
        }
    }
}
