package io.vmm4j.engine.machine.interrupt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.InterruptLine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterruptLinesTest {
  private final List<String> heard = new ArrayList<>();
  private final InterruptLines lines = new InterruptLines((path, during, cause) -> {});

  @Test
  void aLineIsAssertedWhileAnyOfItsDriversAssertsIt() {
    lines.claim("pic", 0, 16, (line, level) -> heard.add(line + (level ? "+" : "-")));
    InterruptLine one = lines.driver("one", 5);
    InterruptLine two = lines.driver("two", 5);
    one.set(true);
    one.set(true);
    two.set(true);
    one.set(false);
    assertThat(lines.isAsserted(5)).isTrue();
    two.set(false);
    assertThat(heard).containsExactly("5+", "5-");
  }

  @Test
  void eachControllerHearsOfItsOwnLines() {
    lines.claim("low", 0, 16, (line, level) -> heard.add("low " + line));
    lines.claim("all", 0, 24, (line, level) -> heard.add("all " + line));
    lines.driver("d", 20).set(true);
    lines.driver("d", 4).set(true);
    assertThat(heard).containsExactly("all 20", "low 4", "all 4");
  }

  @Test
  void linesThatAreHeldChangeSilentlyAndAreToldOnceAfterwards() {
    lines.claim("pic", 0, 3, (line, level) -> heard.add(line + (level ? "+" : "-")));
    InterruptLine line = lines.driver("d", 1);
    lines.hold();
    line.set(true);
    line.set(false);
    line.set(true);
    assertThat(heard).isEmpty();
    lines.release();
    assertThat(heard).containsExactly("0-", "1+", "2-");
  }

  @Test
  void aLineThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> lines.driver("d", 24))
        .isInstanceOf(DeviceException.class)
        .hasMessage("d: no interrupt line 24: there are 0 to 23");
  }
}
