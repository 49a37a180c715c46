package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is missing here is logged once; what the manual forbids is not. */
class UndefinedLogTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger("io.vmm4j.software.undefined");
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @BeforeEach
  void listen() {
    log.start();
    logger.addAppender(log);
  }

  @AfterEach
  void leave() {
    logger.detachAppender(log);
  }

  private List<String> messages() {
    return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  @Test
  void forbiddenEncodingsAreSilent() {
    BareCpu narrow = BareCpu.withCodeSize(4);
    int[][] forbidden = {
      {0xF0, 0x8B, 0x03}, // LOCK MOV
      {0xF0, 0x01, 0xC0}, // LOCK ADD with a register as its destination
      {0x8D, 0xC0}, // LEA of a register
      {0xFF, 0xF8}, // FF /7
      {0xFF, 0xD8}, // CALLF of a register
      {0xFE, 0xD0}, // FE /2
      {0x0F, 0xBA, 0xC0, 0x01}, // 0F BA /0
      {0x0F, 0x0B} // UD2
    };
    for (int[] code : forbidden) {
      assertThat(narrow.run(code)).isEqualTo(Cpu.UD);
    }
    BareCpu wide = BareCpu.withCodeSize(8);
    assertThat(wide.run(0x06)).as("PUSH ES").isEqualTo(Cpu.UD);
    assertThat(wide.run(0xEA)).as("JMPF").isEqualTo(Cpu.UD);
    assertThat(messages()).isEmpty();
  }

  @Test
  void missingInstructionsAreLoggedOnce() {
    BareCpu wide = BareCpu.withCodeSize(8);
    for (int i = 0; i < 3; i++) {
      assertThat(wide.run(0x0F, 0x38, 0xC8, 0xC1)).as("SHA1NEXTE").isEqualTo(Cpu.UD);
    }
    assertThat(messages()).singleElement().asString().contains("opcode 2c8");
  }
}
