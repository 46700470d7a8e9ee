"""What happened: files, rounds, the loop, reports, the command line, built-in campaigns."""

from .answers import Answer, Answers, Nearest, Predicted
from .campaign import Campaign
from .problems import CampaignFileError, Problem
from .recording import Result
from .status import Best, Status
from .templates import Template, template, template_names

__all__ = [
    "Answer",
    "Answers",
    "Best",
    "Campaign",
    "CampaignFileError",
    "Nearest",
    "Predicted",
    "Problem",
    "Result",
    "Status",
    "Template",
    "template",
    "template_names",
]
