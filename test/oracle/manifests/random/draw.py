"""What all families of random manifests draw from: one seed a case, so that no case moves another."""

import datetime
import random

from airbyte_cdk.sources.declarative.datetime.datetime_parser import DatetimeParser

UTC = datetime.timezone.utc


class Draw(random.Random):
    def one(self, *options):
        return self.choice(options)

    def chance(self, probability):
        return self.random() < probability

    def maybe(self, probability, **fields):
        """The fields, or none."""
        return fields if self.chance(probability) else {}

    def several(self, options, least, most):
        return self.sample(options, self.randint(least, most))

    def time(self):
        """A moment of the ten weeks before the clock of the cases."""
        hour, minute = self.one(0, 0, 8, 23), self.one(0, 0, 30)
        day = datetime.datetime(2026, self.one(1, 2, 3), self.randint(1, 14), tzinfo=UTC)
        return day.replace(hour=hour, minute=minute, second=self.one(0, 59))

    def day(self):
        return text(self.time(), "%Y-%m-%d")

    def value(self, text, format):
        """A time as an API has it: epochs come as numbers and as text."""
        if format in ("%s", "%ms", "%epoch_microseconds") and self.chance(0.6):
            return int(text)
        return float(text) if format == "%s_as_float" and self.chance(0.5) else text


def text(time, format):
    return DatetimeParser().format(time, format)


def into(place, name):
    return {"type": "RequestOption", "inject_into": place, "field_name": name}


def answers(responses, path="items"):
    return {"url": f"https://api.test/{path}", "any_query": True, "respond": responses}
