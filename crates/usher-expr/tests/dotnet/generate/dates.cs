// Prints what System.DateTime makes of the dates and formats below. All dates are in UTC.
using System;
using System.Globalization;

static class Vectors {
    static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    static string Iso(DateTime d) { return Json.Text(d.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", Invariant)); }

    static void Format(string differs, DateTime d, string format) {
        string printed;
        try { printed = d.ToString(format, Invariant); } catch (FormatException) { printed = null; }
        Json.Line("kind", "\"format\"", "date", Iso(d), "format", Json.Text(format), "printed", Json.Text(printed), "differs", Json.Optional(differs));
    }

    static void Exact(string text, string format, string styles) { Exact(null, text, format, styles); }

    static void Exact(string differs, string text, string format, string styles) {
        var flags = styles == "" ? DateTimeStyles.RoundtripKind | DateTimeStyles.AllowLeadingWhite | DateTimeStyles.AllowTrailingWhite
            : (DateTimeStyles)Enum.Parse(typeof(DateTimeStyles), styles);
        string read;
        try {
            var d = DateTime.ParseExact(text, format, Invariant, flags);
            read = Iso(d.Kind == DateTimeKind.Local ? d.ToUniversalTime() : d);
        } catch (FormatException) { read = "null"; }
        Json.Line("kind", "\"exact\"", "text", Json.Text(text), "format", Json.Text(format), "styles", Json.Text(styles), "read", read, "differs", Json.Optional(differs));
    }

    static void Any(string text) { Any(null, text); }

    static void Any(string differs, string text) {
        DateTime d;
        bool ok = DateTime.TryParse(text, Invariant, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out d);
        Json.Line("kind", "\"any\"", "text", Json.Text(text), "read", ok ? Iso(d) : "null", "differs", Json.Optional(differs));
    }

    static void Add(string interval, int n, DateTime d) {
        DateTime sum;
        try {
            sum = interval == "yyyy" ? d.AddYears(n) : interval == "m" ? d.AddMonths(n) : interval == "ww" ? d.AddDays(7.0 * n) : interval == "d" ? d.AddDays(n)
                : interval == "h" ? d.AddHours(n) : interval == "n" ? d.AddMinutes(n) : d.AddSeconds(n);
        } catch (ArgumentOutOfRangeException) {
            Json.Line("kind", "\"add\"", "interval", Json.Text(interval), "n", n.ToString(), "date", Iso(d), "sum", "null");
            return;
        }
        Json.Line("kind", "\"add\"", "interval", Json.Text(interval), "n", n.ToString(), "date", Iso(d), "sum", Iso(sum));
    }

    static void Main() {
        var dates = new[] {
            new DateTime(2012, 3, 4, 5, 6, 7, DateTimeKind.Utc).AddTicks(1234500), new DateTime(1999, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddTicks(9000000),
            new DateTime(2024, 2, 29, 0, 0, 0, DateTimeKind.Utc), new DateTime(1, 1, 1, 12, 0, 0, DateTimeKind.Utc), new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc) };
        foreach (var f in "d D f F g G m M o O r R s t T u U y Y".Split(' ')) foreach (var d in dates) Format(null, d, f);
        foreach (var f in new[] { "yyyy-MM-ddTHH:mm:ssZ", "M/d/yyyy h:mm:ss tt", "yyyyMMddHHmmss.0Z", "dd.MM.yy", "yyy", "yyyyy", "%y", "%M", "%d", "%H", "%h", "%m", "%s", "%t", "%f", "%F", "%g", "%z", "%K",
            "MMM", "MMMM", "MMMMM", "ddd", "dddd", "ddddd", "hh:mm tt", "hhh", "HHH", "mmm", "sss", "tt", "ttt", "f", "ff", "fff", "ffff", "fffffff", "FF", "FFF", "FFFFFFF", "ss.FFF", "ss.F", "ssFFF", "s.fff", "zz", "zzz", "zzzz", "KK", "gg",
            "'it''s' yyyy", "\"a'b\" yyyy", "'a\\'b' y", "\\d\\\\d", "yyyy\\-MM", "d MMM yyyy", "dddd, d MMMM", "%dd", "d%d", "yyyy/MM/dd HH:mm", "T", "'T'", "yyyy年M月", "-d-", "", "#M#", "a", "QQ" })
            foreach (var d in new[] { dates[0], dates[1], dates[4] }) Format(null, d, f);
        foreach (var f in new[] { "%%", "%", "'a", "\"a", "\\", "x", "ffffffff", "FFFFFFFF", "yyyy\\", "yyyy%", "i", "q", "1", "%'" }) Format(null, dates[0], f);

        foreach (var c in new[] {
            "12/31/2025 12:00:00 AM|M/d/yyyy hh:mm:ss tt", "12/31/2025 5:00:00 PM|M/d/yyyy hh:mm:ss tt", "12/31/2025 5:00:00 PM|M/d/yyyy h:mm:ss tt", "12/31/2025 12:00:00 PM|M/d/yyyy h:mm:ss tt", "12/31/2025 05:00:00 pm|M/d/yyyy hh:mm:ss tt",
            "2/9/2024|MM/dd/yyyy", "02/09/2024|MM/dd/yyyy", "02/09/2024|M/d/yyyy", "2024-02-30|yyyy-MM-dd", "2024-02-29|yyyy-MM-dd", "2023-02-29|yyyy-MM-dd", "2024-2-9|yyyy-MM-dd", "20240209|yyyyMMdd", "240209|yyMMdd", "290101|yyMMdd", "300101|yyMMdd", "99|yy", "9|%y", "12|%y",
            "2025-12-31-08:00|yyyy-MM-ddzzz", "2025-12-31+02:00|yyyy-MM-ddzzz", "2025-12-31+0200|yyyy-MM-ddzzz", "2025-12-31-8:00|yyyy-MM-ddzzz", "2025-12-31-08|yyyy-MM-ddzz", "2025-12-31-8|yyyy-MM-ddz", "2025-12-31-08|yyyy-MM-ddz", "2025-12-31-08|yyyy-MM-ddzzz", "2025-12-31-15:00|yyyy-MM-ddzzz", "2025-12-31-14:00|yyyy-MM-ddzzz", "2025-12-31-08:60|yyyy-MM-ddzzz", "2025-12-31 -08:00|yyyy-MM-ddzzz",
            "2021-05-01T10:20:30Z|yyyy-MM-ddTHH:mm:ssZ", "2021-05-01T10:20:30Z|yyyy-MM-ddTHH:mm:ssK", "2021-05-01T10:20:30+01:00|yyyy-MM-ddTHH:mm:ssK", "2021-05-01T10:20:30|yyyy-MM-ddTHH:mm:ssK", "2021-05-01T10:20:30GMT|yyyy-MM-ddTHH:mm:ssZ", "2021-05-01T10:20:30|yyyy-MM-ddTHH:mm:ssZ", "2021-05-01T10:20:30z|yyyy-MM-ddTHH:mm:ssZ",
            "2021-05-01T10:20:30.1234567Z|yyyy-MM-ddTHH:mm:ss.fffffffZ", "2021-05-01T10:20:30.123Z|yyyy-MM-ddTHH:mm:ss.fffZ", "2021-05-01T10:20:30.12Z|yyyy-MM-ddTHH:mm:ss.fffZ", "2021-05-01T10:20:30.12Z|yyyy-MM-ddTHH:mm:ss.FFFZ", "2021-05-01T10:20:30Z|yyyy-MM-ddTHH:mm:ss.FFFZ", "2021-05-01T10:20:30.Z|yyyy-MM-ddTHH:mm:ss.FFFZ", "2021-05-01T10:20:30.1234Z|yyyy-MM-ddTHH:mm:ss.fffZ", "10:20:30|HH:mm:ss.ffffffff",
            "20210501102030.0Z|yyyyMMddHHmmss.0Z", "20210501102030.0Z|yyyyMMddHHmmss.fZ", "20210501102030Z|yyyyMMddHHmmss'Z'",
            "1 Jan 2020|d MMM yyyy", "1 January 2020|d MMMM yyyy", "1 jan 2020|d MMM yyyy", "1 JANUARY 2020|d MMMM yyyy", "1 January 2020|d MMM yyyy", "1 May 2020|d MMMM yyyy", "1 Sept 2020|d MMM yyyy", "Jan-20|MMM-yy", "Wed 1 Jan 2020|ddd d MMM yyyy", "Thu 1 Jan 2020|ddd d MMM yyyy", "Wednesday, 01 January 2020|dddd, dd MMMM yyyy",
            "05/2020|MM/yyyy", "2020|yyyy", "2020-1|yyyy-M", "2020-1|yyyy-d".Replace("yyyy-d", "yyyy-M"), "17:00 AM|HH:mm tt", "05:00 PM|HH:mm tt", "17:00 PM|HH:mm tt", "00:30 AM|hh:mm tt", "00:30 PM|hh:mm tt", "13:00 PM|hh:mm tt", "5 P|h t", "5 PM|h t", "5 A|h t", "5 A|h tt", "12|hh",
            "2020-05-05 2020|yyyy-MM-dd yyyy", "2020-05-05 2021|yyyy-MM-dd yyyy", "2020-05-05 05|yyyy-MM-dd dd", "24:00|HH:mm", "23:60|HH:mm", "23:59:60|HH:mm:ss", "2020-13-01|yyyy-MM-dd", "2020-00-01|yyyy-MM-dd", "0000-01-01|yyyy-MM-dd", "0001-01-01|yyyy-MM-dd", "9999-12-31|yyyy-MM-dd", "9999-12-31 23:59:59|yyyy-MM-dd HH:mm:ss", "9999-12-31 23:59:59-05:00|yyyy-MM-dd HH:mm:sszzz", 
            " 2020-01-02|yyyy-MM-dd", "2020-01-02 |yyyy-MM-dd", " 2020-01-02 | yyyy-MM-dd ", "2020 -01-02|yyyy-MM-dd", "2020-01-02|yyyy-MM-dd ", "2020-01-02x|yyyy-MM-dd", "2020-01|yyyy-MM-dd", "|yyyy", "2020-01-02|", "2020-01-02|yyyy-MM-dd'", "2020-01-02|yyyy-MM-dd%", "2020|yyyy\\",
            "01/02/2020|d", "01/02/2020 03:04|g", "01/02/2020 03:04:05|G", "2020-01-02T03:04:05|s", "2020-01-02 03:04:05Z|u", "2020-01-02T03:04:05.0000000Z|o", "2020-01-02T03:04:05.0000000+02:00|O", "2020-01-02T03:04:05.0000000|o", "Thu, 02 Jan 2020 03:04:05 GMT|r", "Thu, 02 Jan 2020 03:04:05 GMT|R", "Thursday, 02 January 2020 03:04:05|U", "2020 January|y", "2020-01-02|x",
            "2020年1月2日|yyyy年M月d日", "Date: 2020-01-02|'Date: 'yyyy-MM-dd", "Date: 2020-01-02|\"Date: \"yyyy-MM-dd", "d2020|\\dyyyy", "2020-01-02 A.D.|yyyy-MM-dd gg", "2020-01-02 AD|yyyy-MM-dd g", "2020-01-02 a.d.|yyyy-MM-dd g", "2020-01-02 BC|yyyy-MM-dd g", "12020|%dyyyy".Replace("%dyyyy", "%Myyyy"), "2020-01-02 GMT|yyyy-MM-dd GMT", "2020-01-02 03:04|yyyy-MM-dd HH:mm tt", "2020.01.02|yyyy.MM.dd", "2020.01|yyyy.MM.F", "2020.01|yyyy.MM.FF", "2020001|yyyyMMM", "202|yyy", "02020|yyyyy", "+2020|yyyy", "2020-+1|yyyy-M" })
            { var p = c.Split('|'); string format = p[1]; bool clock = !format.Contains("y") && format.Length > 1; Exact(p[0], format, clock ? "NoCurrentDateDefault" : ""); }
        Exact("one letter is taken in any case, like two", "5 p", "h t", "NoCurrentDateDefault");
        Exact("an instant before year 1 is an error, Mono wraps it round to the day's end", "0001-01-01 00:00:00+05:00", "yyyy-MM-dd HH:mm:sszzz", "");
        foreach (var styles in new[] { "None", "AllowLeadingWhite", "AllowTrailingWhite", "AllowInnerWhite", "AllowWhiteSpaces" })
            foreach (var text in new[] { " 2020-01-02", "2020-01-02 ", "2020 - 01-02", " 2020-01-02 10:00 " }) { Exact(text, "yyyy-MM-dd", styles); Exact(text, "yyyy-MM-dd HH:mm", styles); }
        foreach (var styles in new[] { "AssumeUniversal", "AssumeLocal", "AdjustToUniversal", "AssumeUniversal, AdjustToUniversal", "AssumeLocal, AdjustToUniversal", "RoundtripKind" })
            foreach (var text in new[] { "2020-01-02T10:00:00|yyyy-MM-ddTHH:mm:ss", "2020-01-02T10:00:00+02:00|yyyy-MM-ddTHH:mm:sszzz", "2020-01-02T10:00:00Z|yyyy-MM-ddTHH:mm:ssK" }) { var p = text.Split('|'); Exact(p[0], p[1], styles); }
        Exact("2 3|d M".Split('|')[0] + " 2020", "d M yyyy", "AllowInnerWhite"); Exact("Date:x 2020", "'Date: x' yyyy", "AllowInnerWhite"); Exact(" 2020", "' 'yyyy", "AllowLeadingWhite"); Exact("2020 ", "yyyy' '", "AllowTrailingWhite"); Exact("2020", "' 'yyyy", "AllowLeadingWhite"); Exact("2020", "yyyy'  '", "AllowTrailingWhite"); Exact("2020x", "yyyy'x '", "AllowTrailingWhite"); Exact("x2020", "' x'yyyy", "AllowLeadingWhite");

        foreach (var text in new[] { "2020-03-16-07:00", "2021-06-30+08:00", "2009-06-15T01:45:30-07:00", "2009-06-15T01:45:30Z", "2021-08-24", "8/25/2021 5:41:18 PM", "12/25/2007", "2013-01-10 4:00 PM -8", "2012-01-01 23:00:00", "2025-12-31 23:59:59-05:00",
            "2012-03-23 24:00:00", "3/23/2012 5 PM", "3/23/2012 5PM", "3/23/2012 5:00 P", "12.25.2007", "2012-03", "3/2012", "20120323", "2012-01-01T10:00:00+0800", "2021-06-30Z", "10:30 2012-01-01", "12-Mar-08", "Mar 12 08", "2012 March 23", "March, 2012", "March 2012", "Friday 23 March 2012", "Monday 23 March 2012", "Fri, 23 Mar 2012 10:11:12 GMT", "2012-01-01 10:00 UTC", "2012-01-01 10:00 GMT",
            "2012-01-01T10", "2012-01-01T10:00", "2012-01-01T10:00:00.123456789Z", "2012-01-01T10:00:00.1Z", "2012-1-1T1:2:3", "1/2/2012,", "2012/03/23 10:11:12 AM", "2012-03-23 22:11 PM", "2012-03-23 22:11 AM", "0:30 AM 3/23/2012", "12:30 AM 3/23/2012", "3/23/12", "3/23/29", "3/23/30", "3 23 2012", "3-23-2012", "23-3-2012", "23/03/2012", "2012-03-23T10:11:12-05", "2012-03-23T10:11:12 -0500", "2012-03-23 10:11:12 +15:00", "2012-03-23T10:11:12,5", "2012-03-23 10:11:12.5 PM",
            "sept 1 2012", "Sep 1 2012", "September 1, 2012", "1 sep 2012", "1st March 2012", "2012 3 23", "2012-03-23T", "2012-03-23T10:11Z extra", "(2012-03-23)", "2012-03-23 10:11:12 Z", "2012-03-23 +02:00", "123-03-04", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "99-03-04", "1/1/1", "00/1/1", "10:11 pm, March 3, 2012", "3/23/2012 10", "3/23/2012T10:11", "2012-W12-5", "2012.03.23", "23.03.2012", "12/31/2025 5:00:00PM", "5pm 12/31/2025",
            "", " ", " 2012-03-23 ", "abc", "2012-02-30", "2012-13-01", "2012-03-23 10:60", "2012-03-23 10:11:60", "2012-03-23 25:00", "31/12/2012", "12/31/2012 23:59", "12/31/2012 11:59 pm", "2/29/2012", "2/29/2013", "2012-03-23T10:11:12.Z", "2012-03-23T10:11:12+2", "Dec 25, 2007 10:00:00", "25 December 2007 10:00", "Tuesday, December 25, 2007 10:00:00 PM", "2007-12-25 10:00:00 -08:00", "2007-12-25 10:00:00-08:00", "2007-12-25 10:00:00 GMT", "2007/12/25", "07/12/25", "2012-03-23T10:11:12z", "2012-03-23t10:11:12Z", "20121231235959", "1356998400", "2012-03-23-", "2012--03-23", "/2012/03/23", "2012-03-23 10:11:", "10-10-10", "January", "12-2012-25" })
            Any(text);
        Any("an instant before year 1 is an error, Mono wraps it round to the day's end", "0001-01-01T00:00:00+01:00");
        string clock_dependent = "the result would depend on the clock";
        foreach (var text in new[] { "10:30", "3/23", "March 23", "1.5" }) { DateTime d; if (DateTime.TryParse(text, Invariant, DateTimeStyles.None, out d)) Json.Line("kind", "\"any\"", "text", Json.Text(text), "read", "\"now\"", "differs", Json.Text(clock_dependent)); }

        foreach (var interval in new[] { "yyyy", "m", "ww", "d", "h", "n", "s" }) foreach (var d in new[] { new DateTime(2024, 2, 29, 10, 0, 0), new DateTime(2023, 12, 31, 23, 59, 59), new DateTime(9999, 12, 31), new DateTime(1, 1, 1) }) foreach (var n in new[] { 1, -1, 12, -25, 1000 }) Add(interval, n, d);
        foreach (var d in new[] { new DateTime(1601, 1, 1), new DateTime(2012, 3, 23, 7, 0, 0), new DateTime(9999, 12, 31), new DateTime(2026, 1, 1, 4, 59, 59) }) Json.Line("kind", "\"filetime\"", "date", Iso(d), "number", DateTime.SpecifyKind(d, DateTimeKind.Utc).ToFileTimeUtc().ToString());
    }
}
