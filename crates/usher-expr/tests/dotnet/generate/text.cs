// Prints what System.Char and System.Globalization.TextInfo make of the texts below.
using System;
using System.Globalization;

static class Vectors {
    static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    static void Main() {
        // Every letter of the scripts that directories are full of.
        // Letters that got a partner in Unicode after Mono's tables were made, or that Mono leaves alone.
        string newer = "\u00b5\u019b\u01c5\u01c8\u01cb\u01f2\u023f\u0240\u0252\u025c\u0261\u0264\u0265\u0266\u026a\u026c\u0282\u0287\u029d\u029e\u03c2\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f3\u03f4\u03f5\u0524\u0525\u0526\u0527\u1e9b\u1e9e\u1fbe";
        string letters = "", lower = "", upper = "";
        for (char c = '\0'; c < '\u2000'; c++) {
            if (c >= '\u0590' && c < '\u1e00') continue;
            char l = Char.ToLowerInvariant(c), u = Char.ToUpperInvariant(c);
            if (!Char.IsLetter(c)) continue;
            if (newer.IndexOf(c) >= 0) {
                Json.Line("kind", "\"letters\"", "letters", Json.Text(c.ToString()), "lower", Json.Text(l.ToString()), "upper", Json.Text(u.ToString()), "differs", "\"newer .NET follows Unicode's simple mappings\"");
                continue;
            }
            letters += c; lower += l; upper += u;
        }
        Json.Line("kind", "\"letters\"", "letters", Json.Text(letters), "lower", Json.Text(lower), "upper", Json.Text(upper));
        foreach (var culture in new[] { "", "en-US", "de-DE", "tr-TR", "tr", "az-Latn-AZ" })
            foreach (var s in new[] { "Istanbul", "\u0130stanbul \u0131l\u0131k", "title II", "Stra\u00dfe \u00c9COLE" }) {
                var info = new CultureInfo(culture).TextInfo;
                Json.Line("kind", "\"culture\"", "culture", Json.Text(culture), "text", Json.Text(s), "lower", Json.Text(info.ToLower(s)), "upper", Json.Text(info.ToUpper(s)));
            }
        foreach (var s in new[] { "jane doe", "JANE DOE", "o'brien", "O'BRIEN", "d\u2019angelo", "mc-donald", "van der BERG", "3rd street", "x_y a.b (c) [d] {e}", "it's", "l'\u00e9cole", "\u00dfa \u00e9a", "\u01c6ungla \u01c4ungla \u01f3", "a/b\\c|d", "a+b=c<d>e",
            "$a \u20acb #c @d", "a\tb\nc\u00a0d\u2003e", "e\u0301a e\u0301", "\u0301a", "a1b a\u00b2b 1a", "\u2160a", "\u0131stanbul \u0130stanbul", "\u0430\u0431\u0432 \u03b1\u03b2\u03b3", "''a 'b' c'd'e", "a\u200db", "a\u00adb", "a\u200bb", "\"quoted\" \u00abx\u00bb \u201cy\u201d", "a&b", "", " ", "\u00aaa \u02b0a", "\ufb01x", "a*b^c`d\u00b4e~f", "\u4e2da", "a\u0903b", "\u017fab", "a'-b", "rock'n'roll" })
            Json.Line("kind", "\"title\"", "text", Json.Text(s), "title", Json.Text(Invariant.TextInfo.ToTitleCase(Invariant.TextInfo.ToLower(s))));
        Json.Line("kind", "\"title\"", "text", "\"\u1e9eab\"", "title", Json.Text(Invariant.TextInfo.ToTitleCase("\u1e9eab")), "differs", "\"newer .NET knows the capital letter\"");
        string white = "";
        for (int i = 0; i < 0x10000; i++) if (Char.IsWhiteSpace((char)i)) white += (char)i;
        Json.Line("kind", "\"white\"", "characters", Json.Text(white));
        foreach (var s in new[] { "", "abc", "\u00e9", "a\U0001f600b" }) Json.Line("kind", "\"length\"", "text", Json.Text(s), "length", s.Length.ToString());
        foreach (var p in new[] { "abcdef|0|3", "abcdef|2|2", "abcdef|3|3", "\u00e9t\u00e9|1|2", "a\U0001f600b|0|1", "a\U0001f600b|1|2", "a\U0001f600b|3|1", "a\U0001f600b|0|4" }) {
            var q = p.Split('|'); Json.Line("kind", "\"slice\"", "text", Json.Text(q[0]), "start", q[1], "length", q[2], "slice", Json.Text(q[0].Substring(int.Parse(q[1]), int.Parse(q[2]))));
        }
    }
}
