// Prints what System.Text.RegularExpressions makes of the patterns below.
using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;

static class Vectors {
    static void Case(string pattern, string text, string replacement) { Case(null, pattern, text, replacement); }

    static void Case(string differs, string pattern, string text, string replacement) {
        Regex regex;
        try { regex = new Regex(pattern); }
        catch (ArgumentException) {
            Json.Line("pattern", Json.Text(pattern), "invalid", "true", "differs", Json.Optional(differs));
            return;
        }
        var groups = new List<string>();
        var match = regex.Match(text);
        if (match.Success)
            foreach (string name in regex.GetGroupNames())
                groups.Add(Json.Text(name) + ":" + Json.Text(match.Groups[name].Value));
        Json.Line("pattern", Json.Text(pattern), "text", Json.Text(text), "replacement", Json.Text(replacement),
            "groups", match.Success ? "{" + string.Join(",", groups) + "}" : "null",
            "replaced", Json.Text(regex.Replace(text, replacement)), "differs", Json.Optional(differs));
    }

    static void All(string replacement, string[] patterns, params string[] texts) {
        foreach (var pattern in patterns) foreach (var text in texts) Case(pattern, text, replacement);
    }

    static void Invalid(params string[] patterns) { foreach (var pattern in patterns) Case(pattern, "", ""); }

    static void Main() {
        // Ends and starts
        All("<$&>", new[] { "$", "a$", @"a\Z", @"a\z", "^a", @"\Aa", "(?m)^a", "(?m)a$", "(?m)^", "(?m)$", "^", "^$" },
            "a", "a\n", "a\na\n", "a\r\n", "", "\n");
        All("-", new[] { @"\Ga", @"\G\d|x", @"\G", @"\Ga?", @"\G|x" }, "aaba", "12x3", "x12");
        All("|", new[] { @"\b", @"\B", @"\bx", @"x\b" }, "x y", "x\u0301 y", "xx", "\u2160x", "a\u200dx", "");

        // Empty matches
        All("_", new[] { "", "a*", "[a-zA-Z_]*", @"(\.)*$", @"(?<d>^\d*)", "b*|a", "(a|b)*", "(?=b)", "x?" },
            "", "abc", "aab", "baab", "a.b..", "12a", "\u00e9a");

        // Numbers and names of groups
        All("[$1|$2|$3]", new[] { "(a)(b)(c)", "(?<x>a)(b)(c)", "(a)(?<x>b)(c)", "(?<x>a)(?<y>b)(?<z>c)", "(?<2>a)(b)(c)", "(?<x>a)(?<x>b)(c)",
            "(?n)(a)(?<x>b)(c)", "(a(?n)(b)(c))", "(?'q'a)(b)(c)", "(?<5>a)(b)(?<x>c)", "(?:a)(b)(c)", "((a)(b))c" }, "abc", "xabcx");
        All("${x}${1}${y}", new[] { "(?<x>a)|(?<x>b)", "(?<x>a)?(b)", "(?<x>a)(?<y>b)?" }, "ab", "b", "ba");

        All("<${n}>", new[] { "(?<n>(?<n>a)b)", "(?<n>a(?<n>b))", "(?<n>a)(?<n>)b", @"(?<n>a)(?<n>b)\k<n>", @"(?<n>(?<n>a)b)\k<n>", "(?<n>a)|(?<n>b)|(?(n)x|a)", "(?(n)|(?:))a|b", "(?:){2}a", "(?:a){0}b", "(a){0}b" }, "ab", "abb", "abab");
        // Replacement texts
        foreach (var replacement in new[] { "$1", "$0", "$&", "$$", "$$1", "$`", "$'", "$+", "$_", "$10", "$2", "${1}", "${n}", "${m}", "$9", "$", "a$", "${", "${n",
            "${n x}", "$ {n}", "$x", "$1$2", "$1x", "${1}0", "$01", "${01}", "$-1", "${}", "\\$1", "\\n", "$$$$", "$${n}", "${$1}", "$n", "$&$&", "${0}", "$(1)" })
            Case(@"(\d)(?<n>[a-z])", "1a 2b", replacement);
        foreach (var replacement in new[] { "$10", "$1", "$11", "$100", "${10}" }) Case("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "abcdefghij", replacement);
        foreach (var replacement in new[] { "$+", "[$`]", "[$']" }) { Case("b", "abc", replacement); Case("(x)|(b)", "abc", replacement); Case("(?<n>b)|(c)", "abc", replacement); }

        // Braces
        All("-", new[] { "^CAS_([^{]*){", "^SystemMailbox{", "a{", "a{2", "a{,2}", "a{2}", "a{2,}", "a{1,2}", "a{x}", "{", "}", "a{1,2}?", "a{0}", "a{ 2}", "x{2}{" },
            "CAS_ab{1}", "SystemMailbox{1}", "aa", "a{2", "a{,2}", "a{x}", "aaa", "a{ 2}", "xx{");

        // Escapes
        Case(@"^CN\s*=\s*([^\,]*)\0ACNF", "CN=x\0ACNF:1", "$1"); Case(@"^CN\s*=\s*([^\,]*)\0ACNF", "CN=x", "$1");
        All("-", new[] { @"[\\/\\\\\\[\\]\\:\\;\\|\\=\\,\\+\\*\\?\\<\\>]", @"[\/\\\[\]\:\;\|\=\,\+\*\?\<\>]", @"\<a\>", @"\<", @"\>", @"\-\=\!\@\#\%\&\~\`\""\'\/\,\;\:\_".Replace(@"\_", "_") },
            "a<b>c", "<a>", "a/b\\c[d]e:f;g|h=i,j+k*l?m", "-=!@#%&~`\"'/,;:_");
        All("-", new[] { @"\x41", @"\u0041", @"\101", @"\cA", @"\ca", @"\c[", @"\e", @"\a", @"\t", @"\v", @"\f", @"\r\n", @"[\b]", @"[\x41-\x43]", @"[\u0041-C]", @"[\101]", @"[\cA]", @"\60", @"\08", @"[\0]", @"\12", @"[\1]" },
            "ABC", "\u0001\u001b\u0007\t\u000b\f\r\n\b", "08\n");
        Case(@"(a)\1", "aa", "-"); Case(@"(a)\k<1>", "aa", "-"); Case(@"(?<n>a)\k<n>", "aa", "-"); Case(@"(?<n>a)\k'n'", "aa", "-"); Case(@"(?<n>a)\<n>", "aa", "-");
        Case(@"(a)\10", "aa0", "-"); Case(@"(a)\11", "a\t", "-"); Case(@"(?<n>a)(b)\1\2", "abba", "-"); Case(@"(?i)(a)\1", "aA", "-"); Case(@"\1(a)", "aa", "-");
        Case(@"(?:(a)|b)\1", "b", "-"); Case(@"(a\1)", "aa", "-"); Case(@"(\w)\1+", "abbbc", "$1"); Case(@"(?<x>a)|(?<x>b)\k<x>", "bb", "-"); Case(@"(a)\01", "a\u0001", "-");
        Case(@"((\w)\2)", "hello", "<$1>"); Case(@"(.+)\s\1", "the the cat", "$1");

        // Classes
        All("-", new[] { @"[a-z-[aeiou]]", @"[^a-z-[AEIOU]]", @"[\w-[\d_]]", @"[a-z-[b-y-[m]]]", @"[\p{L}-[a-m]]", @"[a-[a]]", @"[-a]", @"[a-]", @"[]a]", @"[^]a]", @"[a^]", @"[\^a]",
            @"[a\-z]", @"[\w-z]", @"[+--]", @"[[:alpha:]]", @"[[a]", @"[a&&b]", @"[a~~b]", @"[a||b]", @"[&-&]", @"[--/]", @"[.]", @"[$]", @"[*+?{}()|]", @"[^-]", @"[#]", @"[ ]" },
            "hello World-42_m", "a]b[c^d&e~f|g-h+i.j$k*#", "AEIOUaeiou", "alpha:");
        All("-", new[] { @"\d", @"\D+", @"\w+", @"\W", @"\s", @"\S+", @"[\d]", @"[^\d]+", @"[\D]", @"[\s\S]+", @"[^\W]+", @"[\W\d]" },
            "a1 _\u0663\u00b2", "\u00e9t\u00e9\u00a0x\u2003y", "a\u0301b\u0903c\u2160d\u203fe", "\u0085\u200b\u180e!".Replace("\u180e", ""));
        All("-", new[] { @"\p{Lu}", @"\P{Lu}+", @"\p{L}+", @"[\p{Lu}\d]+", @"[^\p{L}]+", @"[\P{L}]+", @"\p{IsBasicLatin}+", @"\P{IsBasicLatin}+", @"[^\p{IsBasicLatin}]", @"[\P{IsBasicLatin}a]", @"\p{IsGreek}+",
            @"\p{IsCyrillic}+", @"\p{IsLatin-1Supplement}", @"[\p{IsLatinExtended-A}\s]", @"\p{Sc}", @"\p{Z}", @"\p{Nd}+", @"\p{Pd}", @"\p{M}", @"\p{IsCJKUnifiedIdeographs}+", @"\p{IsCombiningDiacriticalMarks}+" },
            "Jos\u00e9 \u0141uk\u00e1cs 5\u20ac", "\u0391\u03b8\u03ae\u03bd\u03b1 \u041c\u043e\u0441\u043a\u0432\u0430", "e\u0301\u2014\u65e5\u672c");

        // Options
        All("-", new[] { "(?i)abc", "a(?i)b", "a(?i)b(?-i)c", "(?i:a)b", "(a(?i)b)c", "a(?i)b|c", "(?i)[a-c]+", "(?i)[^a]", @"(?i)\p{Lu}", @"(?i)[\p{Lu}]+", "(?i)\u00e9", "(?i-i)a", "(?I)a", "(?+i)a" },
            "abc", "ABC", "aBc", "aBC", "C", "\u00c9");
        All("-", new[] { "(?s)a.b", "a.b", "(?s:a.)b", "(?m:^b)", "(?sm)a.^b", "(?x) a b # c\n c", "(?x)a\\ b", "(?x)a[ ]b", "(?x: a b )c", "a(?x) b (?-x) c", "(?x)a # x", "(?x)a {2}", "(?x)a * ?", "(?x)(?# z )a" },
            "a\nb", "abc", "a b", "ab c", "aa", "a");
        All("-", new[] { "a(?#comment)b", "a(?#x)*", "(?#)", "a(?#(x)b" }, "ab", "aaa");

        // Look-around, atomic groups, conditions
        All("-", new[] { "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", @"(?<=^|\s)\w", @"(?<=\d+)[a-z]", @"(?<!\d+)[a-z]", @"(?<=a.*)b", @"(?=(a))a", "(?>a+)b", "(?>a|ab)c", "(?:(?=a)a)+", "(?=a)*b", @"(?<=(a))b", @"(?<=a{2,3})b",
            @"(?<=\bab)", @"(?!^)b", @"^(?=.*\d)(?=.*[a-z]).{3,}$", @"(?<=(\w)\1)b".Replace(@"(\w)\1", @"aa") },
            "ab", "b", "aab", "abc", "1a 2b", "x ab", "ab1", "aaab");
        All("-", new[] { "(a)?(?(1)b|c)", "(?<n>a)?(?(n)b|c)", "(?(a)ab|c)", "(?(?=a)ab|c)", "(?(?!a)c|ab)", "^(<)?a(?(1)>)$", "(?(n)x|y)", "(?:(a)|b)(?(1)c|d)" },
            "ab", "c", "b", "<a>", "a", "<a", "ac", "bd", "xy");

        // Quantifiers
        All("-", new[] { "a+?", "a*?", "a??", "a{2,3}?", "(ab)+", "(?:ab)*", "(a|ab)(c|bcd)", "a|ab|abc", "(a*)(a|b)", "(a+)+b", ".*?b", ".*b", "(.*)(b)", "^(.+?)(b|$)" }, "aaab", "ababab", "abcd", "");
        All("<$1>", new[] { @"(?:(a)|b)*", @"(a|b)*", @"(a)|b", @"((a)|b)+", @"(a?)*?b" }, "ab", "ba", "bb", "");

        // Patterns as people write them
        Case(@"^(?<domain>[^\\]+)\\(?<user>.+)$", @"CORP\jdoe", "${user}@${domain}"); Case(@"[()\s-]+", "(+1) 425-555 0100", "");
        Case(@"(?<countryCode>\+\d+)\s*(?<areaCode>\d{3})(?<rest>.*)", "+1 4255550100", "${areaCode}${rest}"); Case(@"\A[\w.+-]+@[\w-]+\.[\w.-]+\z", "a.b@example.org", "x");
        Case(@"([^@]+)@(.*)", "jane@example.org", "$1"); Case(@"^OU=([^,]+),", "OU=Sales,DC=example", "$1;"); Case(@"[^a-zA-Z0-9]", "O'Brien-Sm\u00edth", ""); Case(@"^0+", "000120", "");
        Case(@"(?i)^smtp:", "SMTP:a@b", ""); Case(@"\s{2,}", "a  b   c", " "); Case(@"(\w+)\s(\w+)", "Jane Doe", "$2, $1"); Case(@"^(.)(.*)$", "jane", "$1.$2"); Case(@"(^|\s)(\w)", "ab cd", "$1[$2]");
        Case(@"^.*?(\d{4}).*$", "D7890-1234", "$1"); Case(@"[^\u0000-\u007F]+", "caf\u00e9 \u65e5", "?"); Case(@"[\u0300-\u036f]", "e\u0301", "");
        Case(@"(?<=^.{3}).*", "abcdef", ""); Case(@"^(.{0,5}).*$", "abcdefgh", "$1"); Case(@"\d(?=(\d{3})+$)", "1234567", "$&,");

        // No patterns at all
        Invalid("(", ")", "a)", "(a", "[", "[a", "*", "+a", "a**", "a{2}{3}", "a+*", "|*", "(*)", @"\", @"[z-a]", @"\y", @"\_", @"\é", @"\c", @"\c1", @"\x4", @"\u004", @"\p", @"\pL", @"\p{Foo}", @"\p{IsFoo}", @"\p{L", @"[\p{Foo}]", @"\1", @"(a)\2", @"\k<n>", @"\k", @"\k<",
            "(?<>a)", "(?<n", "(?<0>a)", "(?<1x>a)", "(?<n!>a)", "(?z)", "(?", "(?i", "a{3,2}", @"[a-\d]", "(?#", "[a-z-[b]c]", "(?(1)a)", "(?(1x)a)", "(?(a)b|c|d)", "(?(?<n>a)b)", "(?(?#x)a)", @"\89", "a{99999999999}", "[]", "[^]", "(?P<n>a)", @"a++", @"a?+", @"(?i)*", @"\Q.\E", @"(?<n>a)(?P=n)", @"\h", @"\R", @"\X", @"\K");

        // Where the language goes its own way
        string units = "matching is by characters, Mono's by UTF-16 code units";
        Case(units, ".", "\U0001f600", "-"); Case(units, "[^a]", "\U0001f600", "-"); Case(units, @"\W", "\U0001f600", "-"); Case(units, @"[\ud800-\udfff]", "a\U0001f600b", "-");
        Case(@"[\ud800-\udbff][\udc00-\udfff]", "a\U0001f600b", "-"); Case(@"\ud83d\ude00", "a\U0001f600b", "-"); Case(@"\ud83d[\ude00-\ude4f]", "a\U0001f600b", "-"); Case(@"[\ud800-\udfff]+", "a\U0001f600b", "-"); Case(@"\p{Cs}+", "a\U0001f600b", "");
        Case(units, @"\p{L}", "\U00010400", "-");
        string loop = "an empty last round of a loop captures in .NET, not here";
        Case(loop, "(a*)+", "ab", "<$1>"); Case(loop, "(a*)+", "ba", "<$1>");
        string search = "Mono does not look for a match where a condition without a second branch matches the empty text";
        foreach (var text in new[] { "ab", "c", "b", "a", "xy" }) Case(search, "(a)?(?(1)b)", text, "-");
        Case("newer .NET knows these pairs of cases", "(?i)k", "\u212a", "-");
        Case("balancing groups are not supported", @"^(?:(?<o>\()|(?<-o>\))|[^()])*(?(o)(?!))$", "(a(b))", "-");
        Case("a group in a look-behind of variable length is not supported", @"(?<=(\d+))x", "12x", "$1");
    }
}
