package io.vmm4j.testkit.planted;

record AlarmClockState(
    int value, long ringsAt, boolean rung, boolean halfUnlocked, boolean unlocked, int copied) {}
