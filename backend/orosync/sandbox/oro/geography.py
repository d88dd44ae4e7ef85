"""Countries and regions OroCRM serves.

Countries are ISO 3166's 249 with Babel's English names; regions are the compact table below, so an instance here
serves fewer than OroCRM's 4,636. Source of ids and attributes: countries-list-all, regions-filter-country.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from babel import Locale
from babel.core import get_global

# in CLDR, but not in ISO 3166
_NOT_ISO = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"])
_RETIRED_ISO3 = frozenset(["ANT", "BUR", "ZAR", "SCG", "YUG", "DDR", "FXX", "NTZ", "SUN", "TMP", "YMD"])

_REGIONS = {
    "US": "AK Alaska,AL Alabama,AR Arkansas,AS American Samoa,AZ Arizona,CA California,CO Colorado,CT Connecticut,"
    "DC District of Columbia,DE Delaware,FL Florida,GA Georgia,GU Guam,HI Hawaii,IA Iowa,ID Idaho,IL Illinois,"
    "IN Indiana,KS Kansas,KY Kentucky,LA Louisiana,MA Massachusetts,MD Maryland,ME Maine,MI Michigan,MN Minnesota,"
    "MO Missouri,MP Northern Mariana Islands,MS Mississippi,MT Montana,NC North Carolina,ND North Dakota,"
    "NE Nebraska,NH New Hampshire,NJ New Jersey,NM New Mexico,NV Nevada,NY New York,OH Ohio,OK Oklahoma,OR Oregon,"
    "PA Pennsylvania,PR Puerto Rico,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,"
    "UM United States Minor Outlying Islands,UT Utah,VA Virginia,VI Virgin Islands,VT Vermont,WA Washington,"
    "WI Wisconsin,WV West Virginia,WY Wyoming",
    "CA": "AB Alberta,BC British Columbia,MB Manitoba,NB New Brunswick,NL Newfoundland and Labrador,"
    "NS Nova Scotia,NT Northwest Territories,NU Nunavut,ON Ontario,PE Prince Edward Island,QC Quebec,"
    "SK Saskatchewan,YT Yukon",
    "DE": "BB Brandenburg,BE Berlin,BW Baden-Württemberg,BY Bayern,HB Bremen,HE Hessen,HH Hamburg,"
    "MV Mecklenburg-Vorpommern,NI Niedersachsen,NW Nordrhein-Westfalen,RP Rheinland-Pfalz,SH Schleswig-Holstein,"
    "SL Saarland,SN Sachsen,ST Sachsen-Anhalt,TH Thüringen",
    "AT": "1 Burgenland,2 Kärnten,3 Niederösterreich,4 Oberösterreich,5 Salzburg,6 Steiermark,7 Tirol,"
    "8 Vorarlberg,9 Wien",
    "CH": "AG Aargau,AI Appenzell Innerrhoden,AR Appenzell Ausserrhoden,BE Bern,BL Basel-Landschaft,BS Basel-Stadt,"
    "FR Fribourg,GE Genève,GL Glarus,GR Graubünden,JU Jura,LU Luzern,NE Neuchâtel,NW Nidwalden,OW Obwalden,"
    "SG Sankt Gallen,SH Schaffhausen,SO Solothurn,SZ Schwyz,TG Thurgau,TI Ticino,UR Uri,VD Vaud,VS Valais,ZG Zug,"
    "ZH Zürich",
    "FR": "06 Alpes-Maritimes,13 Bouches-du-Rhône,31 Haute-Garonne,33 Gironde,34 Hérault,44 Loire-Atlantique,"
    "59 Nord,67 Bas-Rhin,69 Rhône,75 Paris,83 Var,92 Hauts-de-Seine,93 Seine-Saint-Denis,94 Val-de-Marne",
    "GB": "BIR Birmingham,EDH Edinburgh,GLG Glasgow City,KEN Kent,LND London City of,MAN Manchester,OXF Oxfordshire,"
    "SRY Surrey",
    "ES": "A Alicante,B Barcelona,M Madrid,MA Málaga,SE Sevilla,V Valencia,BI Vizcaya",
    "IT": "BO Bologna,FI Firenze,GE Genova,MI Milano,NA Napoli,RM Roma,TO Torino,VE Venezia",
    "PL": "DS Dolnośląskie,MA Małopolskie,MZ Mazowieckie,PM Pomorskie,SL Śląskie,WP Wielkopolskie",
    "UA": "05 Vinnyts'ka Oblast',12 Dnipropetrovs'ka Oblast',30 Kyïvs'ka mis'ka rada,32 Kyïvs'ka Oblast',"
    "46 L'vivs'ka Oblast',51 Odes'ka Oblast',63 Kharkivs'ka Oblast'",
    "AD": "02 Canillo,03 Encamp,04 La Massana,05 Ordino,06 Sant Julià de Lòria,07 Andorra la Vella,"
    "08 Escaldes-Engordany",
    "AE": "AJ 'Ajmān,AZ Abū Z̧aby,DU Dubayy,FU Al Fujayrah,RK R'as al Khaymah,SH Ash Shāriqah,UQ Umm al Qaywayn",
    "JP": "01 Hokkaidô,13 Tôkyô,14 Kanagawa,23 Aiti,26 Kyôto,27 Ôsaka,28 Hyôgo,40 Hukuoka",
    "AU": "ACT Australian Capital Territory,NSW New South Wales,NT Northern Territory,QLD Queensland,"
    "SA South Australia,TAS Tasmania,VIC Victoria,WA Western Australia",
}


@dataclass(frozen=True)
class Country:
    """A country; `regions` are ids."""

    id: str
    iso3: str
    name: str
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    """A region; the id is country and code joined."""

    id: str
    code: str
    name: str
    country: str


@cache
def regions() -> dict[str, Region]:
    """All regions by id, in the order OroCRM lists them."""
    found = {}
    for country in sorted(_REGIONS):
        for entry in sorted(_REGIONS[country].split(",")):
            code, _, name = entry.partition(" ")
            found[f"{country}-{code}"] = Region(f"{country}-{code}", code, name, country)
    return found


@cache
def countries() -> dict[str, Country]:
    """All countries by id, in the order OroCRM lists them."""
    names = Locale("en").territories
    iso3 = {
        codes[0]: alias
        for alias, codes in get_global("territory_aliases").items()
        if len(alias) == 3 and alias.isalpha() and alias not in _RETIRED_ISO3
    }
    listed: dict[str, list[str]] = {}
    for region in regions().values():
        listed.setdefault(region.country, []).append(region.id)
    return {
        code: Country(code, iso3[code], names[code], tuple(listed.get(code, ())))
        for code in sorted(names)
        if len(code) == 2 and code.isalpha() and code not in _NOT_ISO
    }
