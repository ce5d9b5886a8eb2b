"""The normalized model of bank data: what every source fills and every view reads."""
