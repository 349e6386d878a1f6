use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use veilcast_journal::Family;

/// All that is read of what a browser says of itself: which of three it is. Nothing else of the header, nor any hint or language, is
/// looked at or kept.
pub(crate) fn family(headers: &HeaderMap) -> Family {
    let text = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Chromium calls itself Safari, too, and everything on Apple's telephones is Safari inside.
    let is_ios = text.contains("iPhone") || text.contains("iPad");
    if text.contains("Firefox/") {
        Family::Firefox
    } else if text.contains("Chrome/") && !is_ios {
        Family::Chromium
    } else if text.contains("Safari/") && text.contains("AppleWebKit/") {
        Family::Safari
    } else {
        Family::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn three_are_told_apart_and_nothing_else() {
        let chromium =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", Family::Firefox),
            (chromium, Family::Chromium),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/142.0 Safari/604.1",
                Family::Safari,
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                Family::Safari,
            ),
            ("curl/8.0", Family::Unknown),
        ];
        for (text, expected) in cases {
            let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(text))]);
            assert_eq!(family(&headers), expected, "{text}");
        }
        assert_eq!(family(&HeaderMap::new()), Family::Unknown);
    }
}
