package io.vmm4j.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandles;
import org.junit.jupiter.api.Test;

class RecordedShapesTest {

  private record Lamp(int brightness, boolean on) {}

  private record Dimmer(int brightness, boolean on, FieldMap colour) {}

  private static final RecordedShapes RECORDED =
      RecordedShapes.read(RecordedShapesTest.class, "lamp-shapes.txt");

  private static RecordSchema.Builder<Lamp> lamp() {
    return RecordSchema.builder(MethodHandles.lookup(), Lamp.class)
        .upgrade(1, f -> f.with("brightness", f.get("level")).without("level").with("on", true));
  }

  @Test
  void aRecordAsRecordedPasses() {
    assertThatCode(() -> RECORDED.check("lamp", lamp().version(2).build()))
        .doesNotThrowAnyException();
    assertThat(RECORDED.names()).containsExactly("lamp");
  }

  @Test
  void aNewShapeWithoutANewVersionFailsAndSaysWhatToDo() {
    RecordSchema<Dimmer> changed =
        RecordSchema.builder(MethodHandles.lookup(), Dimmer.class).version(2).build();

    assertThatThrownBy(() -> RECORDED.check("lamp", changed))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("version(3) in its schema")
        .hasMessageContaining("upgrade(2, …)")
        .hasMessageContaining("docs/versioning.md")
        .hasMessageContaining("lamp 3 {brightness:int32,on:boolean,colour:fields}");
  }

  @Test
  void aNewVersionThatIsNotRecordedFailsWithTheLineToAdd() {
    assertThatThrownBy(() -> RECORDED.check("lamp", lamp().version(3).upgrade(2, f -> f).build()))
        .hasMessageContaining("Leave the lines of older versions")
        .hasMessageContaining("lamp 3 {brightness:int32,on:boolean}");
  }

  @Test
  void aVersionThatWentBackFails() {
    assertThatThrownBy(
            () -> RECORDED.check("lamp", RecordSchema.of(MethodHandles.lookup(), Lamp.class)))
        .hasMessageContaining("went back to version 1");
  }

  @Test
  void aRecordedVersionThatNoUpgradeLeadsFromFails() {
    RecordSchema<Lamp> forgetful =
        RecordSchema.builder(MethodHandles.lookup(), Lamp.class).version(2).build();

    assertThatThrownBy(() -> RECORDED.check("lamp", forgetful))
        .hasMessageContaining("no upgrade leads from version 1")
        .hasMessageContaining("add upgrade(1, …)");
  }

  @Test
  void aRecordWithoutALineFailsWithTheLineToAdd() {
    assertThatThrownBy(() -> RECORDED.check("bulb", lamp().version(2).build()))
        .hasMessageContaining("bulb 2 {brightness:int32,on:boolean}");
  }

  @Test
  void aFileThatIsNotThereOrNotOfThisFormIsRefused() {
    assertThatThrownBy(() -> RecordedShapes.read(RecordedShapesTest.class, "none.txt"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("none.txt");
    assertThatThrownBy(() -> RecordedShapes.read(RecordedShapesTest.class, "bad-shapes.txt"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 'name version shape', found 'lamp one {}'");
  }
}
