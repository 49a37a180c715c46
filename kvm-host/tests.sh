# shellcheck shell=bash
# Sourced by kvm-host/test and kvm-host/bochs, with $root and $JDK set: what both need of the build.

# find_tests: finds the KVM backend's tests, and GDB's where that is built: sets $class_path, $options, the
# file with the JVM's options, $jvm, which has both, and $launcher, what starts JUnit; or fails with a message.
find_tests() {
  local module
  class_path=
  for module in vmm-engine vmm-gdb; do
    module=$root/$module/target
    if [ -s "$module/kvm-host/class-path" ] && [ -d "$module/test-classes" ]; then
      class_path+=${class_path:+:}$module/test-classes:$module/classes:$(<"$module/kvm-host/class-path")
    elif [ -z "$class_path" ]; then
      echo "kvm-host: the tests are not built: ./test -pl vmm-engine,vmm-gdb builds them" >&2
      return 1
    fi
  done
  options=$root/vmm-engine/target/kvm-host/java.options
  # Each module has a logback-test.xml, the same, which Logback would remark on.
  jvm=("@$options" -Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener
    -cp "$class_path")
  # shellcheck disable=SC2034 # for who sources this
  launcher=(org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors
    --details=testfeed --fail-if-no-tests)
}

# boot_linux TSC SELECTION...: if a test of the selection (none: all) wants a Linux, boots one on the software
# backend, which is slow in an emulator, and saves it to the file $linux; which else is empty. TSC is the
# frequency in Hz of its time-stamp counter, or "host" for that of this processor.
boot_linux() {
  local tsc=$1
  shift
  linux=
  case "$#$*" in
    0 | *LinuxPortabilityTest* | *KvmGdbTest*)
      linux=$root/vmm-engine/target/kvm-host/linux.vmm
      rm -f "$linux"
      "$JDK/bin/java" "${jvm[@]}" io.vmm4j.engine.kvm.BootedLinux "$linux" "$tsc"
      ;;
  esac
}
