"""What can go wrong in a benchmark.

BenchError
  x ToolError       a program is neither installed nor to be had from Debian's packages
  x ProviderError    the stand-in provider did not start
  x GatewayError     the gateway did not start, answer or stop as it should
  x AnswerError      an answer came, but not whole
  x HistoryError     a vault is not empty, or holds nothing to measure
"""


class BenchError(Exception):
    """Base of every error here; its text is one sentence for the person at the terminal."""


class ToolError(BenchError):
    """A program is neither installed nor to be had from Debian's packages."""


class ProviderError(BenchError):
    """The stand-in provider did not start."""


class GatewayError(BenchError):
    """The gateway did not start, answer or stop as it should."""


class AnswerError(BenchError):
    """An answer came, but not whole."""


class HistoryError(BenchError):
    """A vault is not empty, or holds nothing to measure."""
