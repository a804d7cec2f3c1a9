"""Countries by ISO 3166 code, and the names that sources write for them. Pure."""

from __future__ import annotations

import re

# Code and English name; of the countries that exist no more, those that made films.
COUNTRY_TABLE = """
AD Andorra|AE United Arab Emirates|AF Afghanistan|AG Antigua & Barbuda|AI Anguilla|AL Albania|AM Armenia|AO Angola
AQ Antarctica|AR Argentina|AS American Samoa|AT Austria|AU Australia|AW Aruba|AX Åland Islands|AZ Azerbaijan
BA Bosnia & Herzegovina|BB Barbados|BD Bangladesh|BE Belgium|BF Burkina Faso|BG Bulgaria|BH Bahrain|BI Burundi
BJ Benin|BL St. Barthélemy|BM Bermuda|BN Brunei|BO Bolivia|BQ Caribbean Netherlands|BR Brazil|BS Bahamas|BT Bhutan
BV Bouvet Island|BW Botswana|BY Belarus|BZ Belize|CA Canada|CC Cocos (Keeling) Islands|CD DR Congo
CF Central African Republic|CG Congo|CH Switzerland|CI Ivory Coast|CK Cook Islands|CL Chile|CM Cameroon|CN China
CO Colombia|CR Costa Rica|CS Czechoslovakia|CU Cuba|CV Cape Verde|CW Curaçao|CX Christmas Island|CY Cyprus
CZ Czechia|DD East Germany|DE Germany|DJ Djibouti|DK Denmark|DM Dominica|DO Dominican Republic|DZ Algeria|EC Ecuador
EE Estonia|EG Egypt|EH Western Sahara|ER Eritrea|ES Spain|ET Ethiopia|FI Finland|FJ Fiji|FK Falkland Islands
FM Micronesia|FO Faroe Islands|FR France|GA Gabon|GB United Kingdom|GD Grenada|GE Georgia|GF French Guiana
GG Guernsey|GH Ghana|GI Gibraltar|GL Greenland|GM Gambia|GN Guinea|GP Guadeloupe|GQ Equatorial Guinea|GR Greece
GS South Georgia & South Sandwich Islands|GT Guatemala|GU Guam|GW Guinea-Bissau|GY Guyana|HK Hong Kong
HN Honduras|HR Croatia|HT Haiti|HU Hungary|ID Indonesia|IE Ireland|IL Israel
IM Isle of Man|IN India|IO British Indian Ocean Territory|IQ Iraq|IR Iran|IS Iceland|IT Italy|JE Jersey|JM Jamaica
JO Jordan|JP Japan|KE Kenya|KG Kyrgyzstan|KH Cambodia|KI Kiribati|KM Comoros|KN St. Kitts & Nevis|KP North Korea
KR South Korea|KW Kuwait|KY Cayman Islands|KZ Kazakhstan|LA Laos|LB Lebanon|LC St. Lucia|LI Liechtenstein
LK Sri Lanka|LR Liberia|LS Lesotho|LT Lithuania|LU Luxembourg|LV Latvia|LY Libya|MA Morocco|MC Monaco|MD Moldova
ME Montenegro|MF St. Martin|MG Madagascar|MH Marshall Islands|MK North Macedonia|ML Mali|MM Myanmar|MN Mongolia
MO Macau|MP Northern Mariana Islands|MQ Martinique|MR Mauritania|MS Montserrat|MT Malta|MU Mauritius|MV Maldives
MW Malawi|MX Mexico|MY Malaysia|MZ Mozambique|NA Namibia|NC New Caledonia|NE Niger|NF Norfolk Island|NG Nigeria
NI Nicaragua|NL Netherlands|NO Norway|NP Nepal|NR Nauru|NU Niue|NZ New Zealand|OM Oman|PA Panama|PE Peru
PF French Polynesia|PG Papua New Guinea|PH Philippines|PK Pakistan|PL Poland|PM St. Pierre & Miquelon
PN Pitcairn Islands|PR Puerto Rico|PS Palestine|PT Portugal|PW Palau|PY Paraguay|QA Qatar|RE Réunion|RO Romania
RS Serbia|RU Russia|RW Rwanda|SA Saudi Arabia|SB Solomon Islands|SC Seychelles|SD Sudan|SE Sweden|SG Singapore
SH St. Helena, Ascension & Tristan da Cunha|SI Slovenia|SJ Svalbard & Jan Mayen|SK Slovakia|SL Sierra Leone
SM San Marino|SN Senegal|SO Somalia|SR Suriname|SS South Sudan|ST São Tomé & Príncipe|SU Soviet Union|SV El Salvador
SX Sint Maarten|SY Syria|SZ Eswatini|TC Turks & Caicos Islands|TD Chad|TF French Southern and Antarctic Lands
TG Togo|TH Thailand|TJ Tajikistan|TK Tokelau|TL Timor-Leste|TM Turkmenistan|TN Tunisia|TO Tonga|TR Turkey
TT Trinidad & Tobago|TV Tuvalu|TW Taiwan|TZ Tanzania|UA Ukraine|UG Uganda|UM U.S. Outlying Islands|US United States
UY Uruguay|UZ Uzbekistan|VA Vatican City|VC St. Vincent & Grenadines|VE Venezuela|VG British Virgin Islands
VI U.S. Virgin Islands|VN Vietnam|VU Vanuatu|WF Wallis & Futuna|WS Samoa|YE Yemen|YT Mayotte|YU Yugoslavia
ZA South Africa|ZM Zambia|ZW Zimbabwe
"""
COUNTRIES = {row[:2]: row[3:] for row in (row.strip() for row in re.split(r"[|\n]", COUNTRY_TABLE)) if row}
"""The English names by code."""
OTHER_NAMES = {
    "america": "US",
    "czech republic": "CZ",
    "england": "GB",
    "federal republic of germany": "DE",
    "german democratic republic": "DD",
    "great britain": "GB",
    "holland": "NL",
    "korea": "KR",
    "republic of ireland": "IE",
    "russian federation": "RU",
    "scotland": "GB",
    "the netherlands": "NL",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "ussr": "SU",
    "wales": "GB",
    "weimar republic": "DE",
    "west germany": "DE",
}
CODE_BY_NAME = {name.casefold(): code for code, name in COUNTRIES.items()} | OTHER_NAMES
MAX_COUNTRIES = 20


def parse_country(stated: object) -> str:
    """Return the code of a country written as a code or an English name; empty for any other text.

    >>> parse_country("us"), parse_country("West Germany"), parse_country("Atlantis")
    ('US', 'DE', '')
    """
    if not isinstance(stated, str) or len(stated) > 60:
        return ""
    word = " ".join(stated.split())
    return word.upper() if word.upper() in COUNTRIES else CODE_BY_NAME.get(word.casefold(), "")


def parse_countries(stated: object) -> tuple[str, ...]:
    """Return the codes of the known countries of a list, or of a text with commas, each once."""
    words = stated.split(",") if isinstance(stated, str) else stated
    found = [parse_country(word) for word in words[:MAX_COUNTRIES]] if isinstance(words, list) else []
    return tuple(dict.fromkeys(filter(None, found)))
