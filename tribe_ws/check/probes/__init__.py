"""The probes, by what they ask about; every module here is read by ``tribe_ws.check.probe.all_probes``."""
