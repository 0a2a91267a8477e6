"""Prints what libxml2 reads in a JUnit report: attributes and texts, as a JSON list.

usage: libxml2.py REPORT [SCHEMA]; the schema does not know the properties of test cases.
"""
import json
import sys

from lxml import etree

report = etree.parse(sys.argv[1], etree.XMLParser(resolve_entities=False, huge_tree=True))
said = []
for element in report.iter():
    said += list(element.attrib.values())
    if element.text is not None:
        said.append(element.text)
for properties in report.iterfind(".//testcase/properties"):
    properties.getparent().remove(properties)
if len(sys.argv) > 2:
    etree.XMLSchema(file=sys.argv[2]).assertValid(report)
json.dump(said, sys.stdout)
