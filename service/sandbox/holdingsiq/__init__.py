"""EBSCO HoldingsIQ's exports, simulated with their state: records, presigned links, and files of any size."""

from service.sandbox.holdingsiq.csv_file import CsvFile
from service.sandbox.holdingsiq.plans import READY, Plan
from service.sandbox.holdingsiq.rows import GeneratedRows
from service.sandbox.holdingsiq.seeds import customer, export, holdingsiq_state
from service.sandbox.holdingsiq.system import HoldingsIq

__all__ = ["READY", "CsvFile", "GeneratedRows", "HoldingsIq", "Plan", "customer", "export", "holdingsiq_state"]
