package io.vmm4j.testkit.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.state.RecordedShapes;
import io.vmm4j.testkit.DeviceModelContract;
import io.vmm4j.testkit.TestMachine;
import io.vmm4j.testkit.planted.hosttime.HostClockFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The kit passes a sound device, and finds each fault, by the check that is there for it. */
class PlantedFaultsTest {
  private static void unlock(TestMachine machine) {
    machine.out8(0x303, 0xA5);
    machine.out8(0x303, 0x5A);
  }

  private static DeviceModelContract<AlarmClockConfig, AlarmClockState> contract(Fault... faults) {
    return DeviceModelContract.of(new AlarmClockFactory(), AlarmClockConfig.with(faults))
        .doing("half of unlocking", machine -> machine.out8(0x303, 0xA5))
        .mustReach(AlarmClockState::halfUnlocked)
        .doing("unlocking", PlantedFaultsTest::unlock)
        .mustReach(AlarmClockState::unlocked);
  }

  @Test
  void a_sound_device_passes() {
    contract().check();
  }

  @ParameterizedTest
  @EnumSource
  void each_fault_is_found(Fault fault) {
    assertThatThrownBy(contract(fault)::check).isInstanceOf(AssertionError.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "RESTORE_FORGETS_TIMER | a restored device is as the saved one | timers",
        "RESTORE_FORGETS_LINE  | a restored device is as the saved one | interrupt line 5",
        "RESTORE_FORGETS_FIELD | a restored device is as the saved one | state",
        "RESET_FORGETS_TIMER   | reset leads back to the state after power-on | timers",
        "RESET_FORGETS_FLAG    | reset leads back to the state after power-on | unlocked=true",
        "LENGTH_WITHOUT_BOUND  | no access of a guest makes it throw, or takes without bound | heap",
        "THROWS                | no access of a guest makes it throw, or takes without bound | 255",
        "SHY_BELL              | no access of a guest makes it throw, or takes without bound | cause",
        "LATE_BELL             | a restored device is as the saved one | claims"
      })
  void a_fault_is_found_by_the_check_that_is_there_for_it(Fault fault, String check, String says) {
    Runnable run = contract(fault).checks().get(check);
    assertThatThrownBy(run::run).isInstanceOf(AssertionError.class).hasMessageContaining(says);
  }

  @Test
  void the_hosts_time_is_found_wherever_the_device_asks_for_it() {
    Runnable check =
        DeviceModelContract.of(new HostClockFactory(), new HostClockFactory.Config())
            .checks()
            .get("time and random numbers are the machine's");
    assertThatThrownBy(check::run)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("hosttime.Hours calls java.lang.System.currentTimeMillis");
  }

  @Test
  void a_field_that_no_check_changes_is_reported() {
    DeviceModelContract<AlarmClockConfig, AlarmClockState> random =
        DeviceModelContract.of(new AlarmClockFactory(), AlarmClockConfig.with())
            .doing("half of unlocking", machine -> machine.out8(0x303, 0xA5))
            .mustReach(AlarmClockState::halfUnlocked);
    Runnable check = random.checks().get("every field of the state was changed");
    assertThatThrownBy(check::run)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("unlocked")
        .hasMessageContaining("doing");
    random.unchanged("unlocked", "left out here");
    check.run();
    random.unchanged("rung", "it is changed");
    assertThatThrownBy(check::run)
        .hasMessageContaining("the field 'rung' is changed by some check");
  }

  @Test
  void what_is_done_must_lead_where_it_is_said_to() {
    DeviceModelContract<AlarmClockConfig, AlarmClockState> contract =
        DeviceModelContract.of(new AlarmClockFactory(), AlarmClockConfig.with())
            .doing("half of unlocking", machine -> machine.out8(0x303, 0xA5))
            .mustReach(AlarmClockState::unlocked);
    assertThatThrownBy(contract::check)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("'half of unlocking' does not lead to what it must reach");
  }

  @Test
  void a_state_that_changed_its_shape_is_found() {
    DeviceModelContract<AlarmClockConfig, AlarmClockState> contract =
        contract()
            .recordedShapes(RecordedShapes.read(PlantedFaultsTest.class, "alarm-clock-shapes.txt"));
    assertThatThrownBy(
            () -> contract.checks().get("the state's shape belongs to its version").run())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("alarm-clock 2 {value:int32");
  }

  @Test
  void a_wide_access_is_split_as_on_the_machine() {
    try (TestMachine machine = TestMachine.with(new AlarmClockFactory(), AlarmClockConfig.with())) {
      machine.out(0x307, 4, 0x1122_3344);
      assertThat(machine.in(0x2FF, 4)).as("it begins where nobody is").isEqualTo(-1);
      assertThat(machine.in(0x1234, 4)).isEqualTo(-1);
    }
  }
}
