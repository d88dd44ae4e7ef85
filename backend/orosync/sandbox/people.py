"""The people, companies and occasions that seed data is made of, in a dozen languages and scripts.

Names and addresses are invented; domains and numbers are those reserved for examples where a country has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country with what its people have in common. places: "city|postal code|street|region id" (region may be "")."""

    id: str
    name: str
    domain: str
    phone: str
    places: tuple[str, ...]
    jobs: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    first: str
    last: str
    gender: str
    login: str
    country: Country


_TABLE: tuple[tuple[Country, str], ...] = (
    (
        Country(
            "DE",
            "Germany",
            "example.de",
            "+49 30 2312 5{:03d}",
            (
                "Berlin|10115|Invalidenstraße 43|DE-BE",
                "München|80331|Sendlinger Straße 8|DE-BY",
                "Köln|50667|Am Hof 12|",
            ),
            ("Einkäuferin", "Geschäftsführer", "Leiterin Vertrieb"),
            ("Bevorzugt Anrufe am Vormittag.\nKein Newsletter!", "Messe Köln, Halle 4 – Angebot über 120 Stück."),
        ),
        "Jürgen Müller m jmueller,Käthe Weiß f kweiss,Björn Groß m bgross,Özlem Yılmaz f oyilmaz",
    ),
    (
        Country(
            "FR",
            "France",
            "example.fr",
            "+33 1 99 00 1{:01d} {:02d}",
            (
                "Paris|75002|12 rue de la Paix|FR-75",
                "Lyon|69002|3 place Bellecour|FR-69",
                "Nice|06000|8 quai des Docks|",
            ),
            ("Directrice des achats", "Responsable logistique", "Gérant"),
            ("Rappeler après le 15 août.", "Préfère le français ; contrat-cadre à renouveler."),
        ),
        "Élodie Lefèvre f elefevre,François Hébert m fhebert,Zoé D'Angelo f zdangelo,Jean-Noël Garçon m jgarcon",
    ),
    (
        Country(
            "UA",
            "Ukraine",
            "example.com.ua",
            "+380 44 200 0{:03d}",
            (
                "Київ|01001|вул. Хрещатик, 22|UA-30",
                "Львів|79000|пл. Ринок, 1|UA-46",
                "Одеса|65026|вул. Дерибасівська, 5|UA-51",
            ),
            ("Менеджерка з продажу", "Технічний директор", "Бухгалтерка"),
            ("Познайомилися на виставці у Львові.", "Телефонувати лише після 11:00."),
        ),
        "Олена Шевченко f oshevchenko,Тарас Ґонта m tgonta,Їванна Козак f ikozak,Андрій Мельник m amelnyk",
    ),
    (
        Country(
            "JP",
            "Japan",
            "example.jp",
            "+81 3-5550-0{:03d}",
            (
                "東京|100-0001|千代田区千代田1-1|JP-13",
                "大阪|530-0001|北区梅田3-1|JP-27",
                "京都|604-8005|中京区三条通20|JP-26",
            ),
            ("営業部長", "購買担当", "代表取締役"),
            ("名刺交換済み。敬称は「様」。", "次回訪問は四月。"),
        ),
        "花子 山田 f hyamada,太郎 佐藤 m tsato,さくら 鈴木 f ssuzuki",
    ),
    (
        Country(
            "AE",
            "United Arab Emirates",
            "example.ae",
            "+971 4 555 0{:03d}",
            ("دبي|00000|شارع الشيخ زايد 14|AE-DU", "الشارقة|00000|شارع الملك فيصل 3|AE-SH"),
            ("مديرة المشتريات", "مهندس مبيعات"),
            ("التواصل عبر البريد الإلكتروني أفضل.", "زيارة المعرض في مارس."),
        ),
        "فاطمة الهاشمي f falhashimi,محمد الفارسي m malfarsi,ليلى حداد f lhaddad",
    ),
    (
        Country(
            "PL",
            "Poland",
            "example.pl",
            "+48 22 555 0{:03d}",
            (
                "Warszawa|00-001|ul. Świętokrzyska 20|PL-MZ",
                "Kraków|31-001|Rynek Główny 7|PL-MA",
                "Łódź|90-001|ul. Piotrkowska 99|",
            ),
            ("Kierownik zakupów", "Księgowa", "Przedstawiciel handlowy"),
            ("Dzwonić po 10:00.", "Faktura w PLN, termin 30 dni."),
        ),
        "Grażyna Łuczak f gluczak,Zbigniew Wójcik m zwojcik,Małgorzata Żak f mzak,Stanisław Źrebiec m szrebiec",
    ),
    (
        Country(
            "ES",
            "Spain",
            "example.es",
            "+34 910 55 0{:03d}",
            (
                "Madrid|28013|Calle Mayor 5|ES-M",
                "Málaga|29001|Calle Larios 2|ES-MA",
                "Sevilla|41001|Avenida de la Constitución 9|",
            ),
            ("Jefa de compras", "Director comercial"),
            ("Le gusta el fútbol; mejor por la tarde.", "Pedido pendiente de firma."),
        ),
        "Íñigo Muñoz m imunoz,Begoña Peñalver f bpenalver,Óscar Ibáñez m oibanez",
    ),
    (
        Country(
            "US",
            "United States",
            "example.com",
            "+1 202-555-0{:03d}",
            (
                "New York|10001|350 Fifth Avenue|US-NY",
                "Austin|73301|500 Congress Ave|US-TX",
                "Boston|02101|1 Beacon St|US-MA",
            ),
            ("VP Sales", "Buyer", "Office Manager"),
            ("Met at the trade show.\nFollow up in Q3.", "Prefers short mails."),
        ),
        "Mary O'Brien f mobrien,Robert Van Der Berg m rvdberg,Jacqueline Smith-Jones f jsmithjones,Tom Lee m tlee",
    ),
    (
        Country(
            "GB",
            "United Kingdom",
            "example.co.uk",
            "+44 20 7946 0{:03d}",
            ("London|EC1A 1BB|1 St Martin's Le Grand|GB-LND", "Edinburgh|EH1 1RE|12 Princes Street|GB-EDH"),
            ("Procurement Lead", "Managing Director"),
            ("Key account since 2019.", "Out of office on Fridays."),
        ),
        "Siân Llewellyn f sllewellyn,Hamish MacDonald m hmacdonald,Zainab Khan f zkhan",
    ),
    (
        Country(
            "IT",
            "Italy",
            "example.it",
            "+39 02 5550 0{:03d}",
            ("Milano|20121|Via Brera 28|IT-MI", "Roma|00184|Via Nazionale 7|IT-RM"),
            ("Responsabile acquisti", "Titolare"),
            ("Richiamare lunedì.", "Preventivo inviato il 3."),
        ),
        "Niccolò D'Amico m ndamico,Chiara Esposito f cesposito",
    ),
    (
        Country(
            "CH",
            "Switzerland",
            "example.ch",
            "+41 44 555 0{:03d}",
            ("Zürich|8001|Bahnhofstrasse 10|CH-ZH", "Genève|1201|Rue du Mont-Blanc 3|CH-GE"),
            ("Projektleiterin", "Chef de projet"),
            ("Spricht Deutsch und Französisch.", "Rechnung an die Zentrale."),
        ),
        "Urs Zgraggen m uzgraggen,Noémie Rochat f nrochat",
    ),
    (
        Country(
            "AU",
            "Australia",
            "example.com.au",
            "+61 2 5550 0{:03d}",
            ("Sydney|2000|1 Macquarie Street|AU-NSW", "Melbourne|3000|120 Collins Street|AU-VIC"),
            ("Warehouse Manager", "Sales Engineer"),
            ("Mind the time zone!", "Ships by sea only."),
        ),
        "Bruce Nguyen m bnguyen,Matilda Walker f mwalker",
    ),
)


def _person(country: Country, text: str) -> Person:
    *names, gender, login = text.split(" ")
    return Person(names[0], " ".join(names[1:]), {"m": "male", "f": "female"}[gender], login, country)


_BY_COUNTRY = [[_person(country, text) for text in people.split(",")] for country, people in _TABLE]


def people(count: int) -> list[Person]:
    """So many different ones, languages mixed; beyond those in the table, first and last names of a country are
    combined anew, with a number in the login."""
    rows: Sequence[Sequence[Person]] = _BY_COUNTRY
    found: list[Person] = []
    turn = 0
    while len(found) < count:
        for row in rows:
            known, generation = row[turn % len(row)], turn // len(row)
            found.append(known if not generation else _again(known, row, generation))
        turn += 1
    return found[:count]


def _again(known: Person, row: Sequence[Person], generation: int) -> Person:
    other = row[(row.index(known) + generation) % len(row)]
    number = f"{generation:03d}"
    return Person(known.first, f"{other.last} {number}", known.gender, f"{known.login}{number}", known.country)


TASKS = (
    "Angebot für die Filiale Nord schreiben",
    "Call back about the delayed delivery",
    "Relancer la facture n° 2024-117",
    "Надіслати прайс-лист до п'ятниці",
    "見積書を送る",
    "إرسال العقد للتوقيع",
    "Przygotować umowę ramową",
    "Revisar el pedido pendiente",
    "Update the price list & discounts <2025>",
    "Preventivo per la fiera di Milano",
    "Send samples to the Sydney warehouse",
    "Reklamation prüfen: 3 Geräte",
    "Réserver la salle de démonstration",
    "Узгодити знижку з директором",
    "Renew the framework agreement",
)

EVENTS = (
    "Quartalsgespräch Vertrieb",
    "Product demo",
    "Déjeuner avec la direction",
    "Зустріч з постачальником",
    "四半期レビュー",
    "اجتماع المبيعات",
    "Spotkanie z klientem",
    "Llamada de seguimiento",
    "Trade fair",
    "Site visit",
    "Budget review",
    "Telefonat mit der Zentrale",
    "Training: new catalogue",
    "Zwischenstand Projekt Ahorn",
    "Planning day",
)
