package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.state.RecordedShapes;
import org.junit.jupiter.api.Test;

/** The tripwire for the engine's own states: a failure says what to do. */
class StateShapesTest {

  @Test
  void shapesAreThoseOfTheirVersions() {
    RecordedShapes recorded = RecordedShapes.read(StateShapesTest.class, "state-shapes.txt");

    recorded.check("clock", ClockState.SCHEMA);
  }
}
