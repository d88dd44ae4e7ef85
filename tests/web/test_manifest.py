"""The add-in's manifest: valid by the schemas, by what the schemas do not see, and for every address it is made for."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from tests.web.pages_world import PagesWorld, signed_in

import orosync
from orosync.bootstrap.product_files import manifest_for, product_file
from orosync.errors import BadInput
from orosync.web.manifest import LONGEST_URL, checked_base_url, manifest_version, render

DEVELOPMENT = "https://localhost:8443"
BASE_URLS = (
    "https://sync.example.com",
    "https://sync.example.com:8443",
    "https://example.com/orocrm/outlook",
    "https://xn--bcher-kva.example",
    "https://[2001:db8::7]:444",
    "https://10.0.0.7",
    DEVELOPMENT,
)
LOCALES = {"de-DE", "fr-FR", "uk-UA"}
MESSAGES = {"MessageReadCommandSurface", "MessageComposeCommandSurface"}
APPOINTMENTS = {"AppointmentOrganizerCommandSurface", "AppointmentAttendeeCommandSurface"}
LARGEST = 256 * 1024
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NAMES = {
    "o": "http://schemas.microsoft.com/office/appforoffice/1.1",
    "v": "http://schemas.microsoft.com/office/mailappversionoverrides/1.1",
    "bt": "http://schemas.microsoft.com/office/officeappbasictypes/1.0",
}


@pytest.fixture(scope="module")
def schema(contracts: Path) -> etree.XMLSchema:
    file = contracts / "addin" / "xsd" / "OfficeAppManifestV1_1.xsd"
    return etree.XMLSchema(etree.parse(file, etree.XMLParser(no_network=True)))


def parsed(text: str) -> etree._Element:
    return etree.fromstring(text.encode())


def template() -> str:
    return product_file("manifest.xml").read_text(encoding="utf-8")


@pytest.fixture(params=["template", *BASE_URLS])
def manifest(request: pytest.FixtureRequest) -> etree._Element:
    return parsed(template() if request.param == "template" else manifest_for(request.param, name="Acme & Sons <CRM>"))


# --- what is wrong with a manifest, beyond the schemas -------------------------------------------------------------


def pixels(file: Path) -> tuple[int, int]:
    """Width and height in the header of a PNG."""
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def all_of(root: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in root.iter(etree.Element) if etree.QName(each).localname == name]


def pages_of(root: etree._Element) -> list[str]:
    """Addresses of pages and pictures."""
    named = {"IconUrl", "HighResolutionIconUrl", "SupportUrl", "SourceLocation", "Url", "Image"}
    found = [each for each in root.iter(etree.Element) if etree.QName(each).localname in named]
    texts = [text for each in found for text in (each.get("DefaultValue"), *(inner.get("Value") for inner in each))]
    return [text for text in texts if text]


def faults(root: etree._Element) -> Iterator[str]:
    """What Outlook or the store would refuse although the schemas accept it."""
    yield from faulty_addresses(root)
    yield from faulty_icons(root)
    known = {each.get("id") for each in root.iterfind(".//v:Resources//*[@id]", NAMES)}
    for element in root.iter(etree.Element):
        if (resid := element.get("resid")) and resid not in known:
            yield f"{resid} is no resource"
    for name in ("Control", "Group"):
        ids = [each.get("id") for each in all_of(root, name)]
        if len(ids) != len(set(ids)):
            yield f"{name} ids are not unique"
    if [int(part) for part in root.findtext("o:Version", "", NAMES).split(".")] < [1, 0]:
        yield "the version is under 1.0"
    for point in all_of(root, "ExtensionPoint"):
        if all_of(point, "SupportsPinning") and point.get(TYPE) not in MESSAGES:
            yield f"pinning on {point.get(TYPE)}"


def faulty_addresses(root: etree._Element) -> Iterator[str]:
    domains = [each.text or "" for each in all_of(root, "AppDomain")]
    if not all(text.startswith("https://") for text in [*pages_of(root), *domains]):
        yield "an address without https"
    origins = {"/".join(text.split("/")[:3]) for text in pages_of(root)}
    if len({text.partition("://")[2] for text in origins}) > 1 or not origins & set(domains):
        yield f"not all on one origin that is an AppDomain: {origins}"
    for info in all_of(root, "WebApplicationInfo"):
        host = max(origins).removeprefix("https://")
        if info.findtext("v:Resource", "", NAMES) != f"api://{host}/{info.findtext('v:Id', '', NAMES)}":
            yield "the sign-in names another host"


def faulty_icons(root: etree._Element) -> Iterator[str]:
    images = {each.get("id"): each.get("DefaultValue", "") for each in root.iterfind(".//bt:Images/bt:Image", NAMES)}
    for icon in all_of(root, "Icon"):
        sizes = {int(image.get("size", "0")) for image in icon}
        if not sizes >= ({25, 32, 48} if icon.get(TYPE) else {16, 32, 80}):
            yield f"an icon lacks sizes: {sorted(sizes)}"
        for image in icon:
            wanted = int(image.get("size", "0")) * int(image.get("scale", "1"))
            if not images.get(image.get("resid"), "").endswith(f"/addin/assets/icon-{wanted}.png"):
                yield f"{image.get('resid')} is not {wanted} pixels"


def test_the_manifest_is_valid(manifest: etree._Element, schema: etree.XMLSchema) -> None:
    schema.assertValid(manifest)
    assert list(faults(manifest)) == []


def test_manifests_that_break_the_format_do_not_pass(contracts: Path, schema: etree.XMLSchema) -> None:
    files = sorted((contracts / "addin" / "manifests" / "broken").glob("*.xml"))
    assert len(files) == 11
    assert [file.name for file in files if schema.validate(etree.parse(file))] == []


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("duplicate-control-id", "Control ids are not unique"),
        ("http-url", "an address without https"),
        ("no-80-pixel-icon", "an icon lacks sizes: [16, 32]"),
        ("pinning-on-an-appointment", "pinning on AppointmentOrganizerCommandSurface"),
        ("resid-without-resource", "is no resource"),
        ("sso-resource-of-another-host", "the sign-in names another host"),
        ("version-zero", "the version is under 1.0"),
    ],
)
def test_faults_that_the_schemas_do_not_see_are_found(
    file: str, fault: str, contracts: Path, schema: etree.XMLSchema
) -> None:
    root = etree.parse(contracts / "addin" / "manifests" / "wrong-but-schema-valid" / f"{file}.xml").getroot()
    assert schema.validate(root)
    # the examples have one picture for each size of a mobile icon; what counts is the fault in them
    found = [each for each in faults(root) if "pixels" not in each]
    assert len(found) == 1
    assert fault in found[0]


def test_every_icon_has_exactly_the_pixels_it_promises(manifest: etree._Element) -> None:
    found = 0
    wanted = {manifest.find("o:IconUrl", NAMES): 64, manifest.find("o:HighResolutionIconUrl", NAMES): 128}
    wanted |= {each: int(each.get("id").removeprefix("Icon.")) for each in manifest.iterfind(".//bt:Images/*", NAMES)}
    for element, size in wanted.items():
        path = re.sub(r"^.*(?=addin/assets/)", "", element.get("DefaultValue"))
        assert pixels(product_file(path)) == (size, size)
        found += 1
    assert found == 15


def test_every_text_is_there_in_every_language_and_short_enough(manifest: etree._Element) -> None:
    texts = [
        *(manifest.find(f"o:{name}", NAMES) for name in ("DisplayName", "Description")),
        *manifest.iterfind(".//bt:String", NAMES),
    ]
    assert len(texts) == 6
    for text in texts:
        longest = 250 if text.tag.endswith("Description") or text.getparent().tag.endswith("LongStrings") else 125
        values = {each.get("Locale"): each.get("Value") for each in text}
        assert set(values) == LOCALES
        assert all(0 < len(value) <= longest for value in [*values.values(), text.get("DefaultValue")])
    assert manifest.findtext("o:DefaultLocale", "", NAMES) == "en-US"
    described = manifest.find("o:Description", NAMES)
    assert len({described.get("DefaultValue"), *(each.get("Value") for each in described)}) == 4


def test_resource_ids_and_the_whole_have_outlook_s_limits(manifest: etree._Element) -> None:
    ids = [each.get("id") for each in manifest.iterfind(".//v:Resources//*[@id]", NAMES)]
    assert len(ids) == len(set(ids))
    assert all(len(each) <= 32 for each in ids)
    assert len(etree.tostring(manifest)) < LARGEST


def test_the_pane_appears_where_it_should_and_asks_for_no_more_than_it_needs(manifest: etree._Element) -> None:
    points = {each.get(TYPE): each for each in all_of(manifest, "ExtensionPoint")}
    assert set(points) == MESSAGES | APPOINTMENTS | {"MobileMessageReadCommandSurface"}
    assert {name for name, point in points.items() if all_of(point, "SupportsPinning")} == MESSAGES
    assert manifest.findtext("o:Permissions", "", NAMES) == "ReadItem"
    assert [each.get("MinVersion") for each in all_of(manifest, "Set") if each.get("MinVersion")] == ["1.5"]
    assert all_of(manifest, "FunctionFile") == all_of(manifest, "WebApplicationInfo") == []
    assert len(all_of(manifest, "VersionOverrides")) == 2


# --- making one ----------------------------------------------------------------------------------------------------


def contents(root: etree._Element) -> list[tuple[str, dict[str, str], str]]:
    return [(each.tag, dict(each.attrib), (each.text or "").strip()) for each in root.iter(etree.Element)]


def test_the_committed_manifest_is_the_one_for_development_in_this_version() -> None:
    assert parsed(template()).findtext("o:Version", "", NAMES) == manifest_version(orosync.__version__)
    assert contents(parsed(manifest_for(DEVELOPMENT))) == contents(parsed(template()))


@pytest.mark.parametrize("base_url", BASE_URLS)
def test_all_addresses_are_the_installation_s_own(base_url: str) -> None:
    root = parsed(manifest_for(base_url))
    assert root.findtext(".//o:AppDomain", "", NAMES) == "/".join(base_url.split("/")[:3])
    pages = pages_of(root)
    assert all(text.startswith(f"{base_url}/") for text in pages)
    assert f"{base_url}/addin/taskpane.html" in pages
    assert root.findtext("o:Id", "", NAMES) == parsed(template()).findtext("o:Id", "", NAMES)


def test_a_company_s_name_stands_in_every_language() -> None:
    root = parsed(manifest_for("https://x.example", name=' Acme  "&" Söhne '))
    label = root.find(".//bt:String[@id='Group.Label']", NAMES)
    for named in (root.find("o:DisplayName", NAMES), label):
        assert named.get("DefaultValue") == 'Acme "&" Söhne'
        assert {each.get("Value") for each in named} == {'Acme "&" Söhne'}


@pytest.mark.parametrize("name", [" ", "x" * 126, "a\x00b", "a\u202eb"])
def test_a_name_that_outlook_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="name") as caught:
        manifest_for("https://x.example", name=name)
    assert caught.value.field == "name"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("given_url", "checked"),
    [
        ("https://X.Example/", "https://x.example"),
        ("https://x.example:443/a/", "https://x.example/a"),
        ("HTTPS://x.example:8443", "https://x.example:8443"),
    ],
)
def test_an_address_is_written_in_one_way(given_url: str, checked: str) -> None:
    assert checked_base_url(given_url) == checked


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "sync.example.com",
        "http://sync.example.com",
        "ftp://x",
        "https://",
        "https:///x",
        "https://user:secret@x.example",
        "https://x.example?a=b",
        "https://x.example/#top",
        "https://x.example/?",
        "https://x.example:99999",
        "https://x.example:port",
        "https://x .example",
        "https://*.example.com",
        "https://-x.example",
        "https://bücher.example",
        "https://x.example/../y",
        "https://x.example//y",
        "https://x.example/%2e%2e",
        'https://x.example/"><x',
        "https://x.example\\y",
        "https://[::1",
        f"https://x.example/{'a' * LONGEST_URL}",
    ],
)
def test_an_address_outlook_would_not_load_from_is_refused_with_field_and_remedy(base_url: str) -> None:
    with pytest.raises(BadInput) as caught:
        render(template(), base_url, version="1.0.0", field="--base-url")
    assert caught.value.field == "--base-url"
    assert caught.value.message.startswith("--base-url: ")
    assert caught.value.remedy
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("0.1.0", "1.0.1.0"),
        ("1.2.3", "1.1.2.3"),
        ("2.0", "1.2.0.0"),
        ("1.2.3rc1", "1.1.2.3"),
        ("1.2.3+local.9", "1.1.2.3"),
    ],
)
def test_the_manifest_s_version_follows_the_package_s(package: str, version: str) -> None:
    assert manifest_version(package) == version


# --- over HTTP -----------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PagesWorld]:
    made = PagesWorld(tmp_path)
    yield made
    made.database.close()


def test_the_manifest_is_made_for_the_public_address(world: PagesWorld) -> None:
    answer = world.client(at="http://127.0.0.1:8080", public_url="https://crm.example.com/o").get("/manifest.xml")
    assert answer.status_code == 200
    assert answer.content_type == "application/xml; charset=utf-8"
    assert answer.text == manifest_for("https://crm.example.com/o")
    assert "Content-Disposition" not in answer.headers


def test_without_a_public_address_it_is_made_for_where_it_was_asked(world: PagesWorld) -> None:
    answer = world.client(at="https://here.example:8443").get("/manifest.xml?download")
    assert answer.text == manifest_for("https://here.example:8443")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="manifest.xml"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_over_plain_http_there_is_no_manifest_but_a_remedy(world: PagesWorld) -> None:
    answer = world.client(at="http://127.0.0.1:8080").get("/manifest.xml")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "no_manifest"
    assert "OROSYNC_PUBLIC_URL" in answer.json["remedy"]


def test_the_company_s_name_for_the_pane_is_the_add_in_s(world: PagesWorld) -> None:
    client = world.client()
    assert client.put("/api/v1/admin/look", json={"name": "Acme CRM"}, headers=signed_in("boss")).status_code == 200
    assert parsed(client.get("/manifest.xml").text).find("o:DisplayName", NAMES).get("DefaultValue") == "Acme CRM"
