"""The page for the day when nothing can be laid out: written by hand, so that it cannot fail the same way.

Always true here: it holds no word of a person's, and says where everything is.
"""

from exports.order import Order
from exports.words import phrases

_PAGE = (
    "<< /Type /Catalog /Pages 2 0 R /Lang ({language}) >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
    "<< /Length {length} >>\nstream\n{content}\nendstream",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
)


def plain_page(order: Order) -> bytes:
    """Return a PDF of one page that says the report could not be laid out."""
    lines = [
        line.format(reference=order.reference, contact=order.contact) for line in phrases(order.language).plain_page
    ]
    shown = "\n".join(f"({_escaped(line)}) Tj T*" for line in lines)
    content = f"BT /F 11 Tf 18 TL 57 760 Td\n{shown}\nET"
    pdf, places = b"%PDF-1.7\n", []
    for number, body in enumerate(_PAGE, 1):
        places.append(len(pdf))
        filled = body.format(language=order.language, length=len(content), content=content) if "{" in body else body
        pdf += f"{number} 0 obj\n{filled}\nendobj\n".encode("cp1252", "replace")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(pdf)}\n%%EOF\n"
    return pdf + end.encode()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
