//! `updates.xml`, from which Chrome learns of a self-hosted version.

/// The update manifest that offers `version` of the extension `id` at `codebase`.
pub fn xml(id: &str, version: &str, codebase: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <gupdate xmlns='http://www.google.com/update2/response' protocol='2.0'>\n  \
         <app appid='{}'>\n    \
         <updatecheck codebase='{}' version='{}'/>\n  \
         </app>\n\
         </gupdate>\n",
        escape(id),
        escape(codebase),
        escape(version)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped() {
        let text = xml("abc", "1.0", "https://example.org/x.crx?a=1&b='2'");
        assert!(text.contains("codebase='https://example.org/x.crx?a=1&amp;b=&apos;2&apos;'"));
        assert!(text.contains("appid='abc'") && text.contains("version='1.0'"));
    }
}
