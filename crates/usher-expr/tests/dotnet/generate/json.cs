// Writes one vector as a line of JSON.
using System;
using System.Collections.Generic;
using System.Text;

static class Json {
    public static string Text(string s) {
        if (s == null) return "null";
        var b = new StringBuilder("\"");
        for (int i = 0; i < s.Length; i++) {
            char c = s[i];
            bool pair = Char.IsHighSurrogate(c) && i + 1 < s.Length && Char.IsLowSurrogate(s[i + 1]) || Char.IsLowSurrogate(c) && i > 0 && Char.IsHighSurrogate(s[i - 1]);
            // Half a pair is no character; readers refuse it.
            if (Char.IsSurrogate(c) && !pair) b.Append("\\ufffd");
            else if (c == '"' || c == '\\') b.Append('\\').Append(c);
            else if (c < ' ' || c > '~') b.AppendFormat("\\u{0:x4}", (int)c);
            else b.Append(c);
        }
        return b.Append('"').ToString();
    }

    // Members come in pairs: a name, then a value that is JSON already. Null values are left out.
    public static void Line(params string[] members) {
        var parts = new List<string>();
        for (int i = 0; i < members.Length; i += 2)
            if (members[i + 1] != null) parts.Add(Text(members[i]) + ":" + members[i + 1]);
        Console.Out.Write("{" + string.Join(",", parts) + "}\n");
    }

    public static string Optional(string s) { return s == null ? null : Text(s); }
}
