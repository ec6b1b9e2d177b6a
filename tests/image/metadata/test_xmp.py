"""What an XMP packet claims of a gain map goes with the map; all else stays."""

from xml.etree import ElementTree

import pytest

from convcli.image.metadata.xmp import without_gain_map

HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
TAIL = "</rdf:RDF></x:xmpmeta>"
GAIN = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
LIST = (
    'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
    'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
)


@pytest.mark.parametrize(
    "inside",
    [
        f'<rdf:Description {GAIN} xmlns:dc="d" dc:format="kept" hdrgm:Version="1.0" hdrgm:GainMapMax=\'2\'/>',
        f'<rdf:Description {GAIN} xmlns:dc="d" dc:format="kept"><hdrgm:Version>1.0</hdrgm:Version>'
        "<hdrgm:GainMapMax><rdf:Seq><rdf:li>3</rdf:li></rdf:Seq></hdrgm:GainMapMax></rdf:Description>",
        f'<rdf:Description {GAIN} {LIST} xmlns:dc="d" dc:format="kept" hdrgm:Version="1.0"><Container:Directory>'
        '<rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="9"/></rdf:li>'
        "</rdf:Seq></Container:Directory></rdf:Description>",
    ],
)
def test_the_claim_goes_and_the_packet_stays_well_formed(inside):
    packet, claimed = without_gain_map(f"{HEAD}{inside}{TAIL}".encode())
    assert claimed
    assert not any(word in packet for word in (b"hdrgm", b"GainMap", b"Container"))
    description = ElementTree.fromstring(packet)[0][0]
    assert description.attrib == {"{d}format": "kept"}


def test_a_packet_without_a_claim_stays_as_it_is():
    packet = f'{HEAD}<rdf:Description {LIST} xmlns:dc="d" dc:format="kept"/>{TAIL}'.encode()
    assert without_gain_map(packet) == (packet, False)
