package io.vmm4j.api;

import io.vmm4j.api.device.DeviceConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How a machine goes on from a snapshot: an immutable value.
 *
 * {@snippet :
 * Vm vm = snapshot.resume(
 *     ResumeOptions.standard().asClone().catchUp().rebind("log", new LogFile.Config("b.log")));
 * }
 *
 * @param backend which backend is to run it
 * @param identity whether it is the machine of the snapshot or a clone of it
 * @param clock what becomes of the time that has passed since the snapshot
 * @param name of the new machine, for messages and thread names; absent means the snapshot's
 * @param rebound configurations of devices, by path, in place of the snapshot's: for host resources
 *     that are others here, such as a disk's file or a socket
 * @param paused whether it is to stand, paused, before its next instruction
 * @param acceptChangedDisks whether disks whose files have other contents than the snapshot names
 *     are taken as they are; otherwise they are refused by name
 */
public record ResumeOptions(
    BackendChoice backend,
    Identity identity,
    GuestClock clock,
    Optional<String> name,
    Map<String, DeviceConfig> rebound,
    boolean paused,
    boolean acceptChangedDisks) {

  /** Who the machine is. */
  public enum Identity {
    /** The machine of the snapshot, of which there is to be only one. */
    RESUME,
    /**
     * One of several: its devices are told ({@link io.vmm4j.api.device.DeviceModel#becomeClone}), a
     * VM generation id changes, and what it draws at random is new.
     */
    CLONE
  }

  /** What becomes of the time between the snapshot and now. */
  public enum GuestClock {
    /** It did not happen: guest time goes on where it stood. */
    CONTINUE,
    /**
     * It has passed: the whole clock stands as if the machine had been running, idle. So do the
     * time-stamp counters of all vCPUs, which keep their distances, the RTC, and all timers, those
     * of the local APICs and their TSC deadlines among them. A timer that was due meanwhile fires
     * once when the machine goes on; a periodic one goes on in its own steps. Not under virtual
     * time, which knows no host time.
     */
    CATCH_UP
  }

  /**
   * Keeps the order of the devices.
   *
   * @throws IllegalArgumentException if the name is none that a machine may have
   */
  public ResumeOptions {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(identity, "identity");
    Objects.requireNonNull(clock, "clock");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(rebound, "rebound");
    name.flatMap(VmSpec::nameFault)
        .ifPresent(why -> {
          throw new IllegalArgumentException("name: " + why);
        });
    rebound = Collections.unmodifiableMap(new LinkedHashMap<>(rebound));
  }

  /** The machine itself, running on the best backend, its time going on where it stood. */
  public static ResumeOptions standard() {
    return new ResumeOptions(
        Backends.auto(),
        Identity.RESUME,
        GuestClock.CONTINUE,
        Optional.empty(),
        Map.of(),
        false,
        false);
  }

  /** The same on a chosen backend. */
  public ResumeOptions on(BackendChoice choice) {
    return new ResumeOptions(choice, identity, clock, name, rebound, paused, acceptChangedDisks);
  }

  /** The same as {@link Identity#CLONE}. */
  public ResumeOptions asClone() {
    return new ResumeOptions(
        backend, Identity.CLONE, clock, name, rebound, paused, acceptChangedDisks);
  }

  /** The same with {@link GuestClock#CATCH_UP}. */
  public ResumeOptions catchUp() {
    return new ResumeOptions(
        backend, identity, GuestClock.CATCH_UP, name, rebound, paused, acceptChangedDisks);
  }

  /** The same under another name. */
  public ResumeOptions named(String newName) {
    return new ResumeOptions(
        backend,
        identity,
        clock,
        Optional.of(Objects.requireNonNull(newName, "newName")),
        rebound,
        paused,
        acceptChangedDisks);
  }

  /** The same with another configuration, of the same type, for the device of a path. */
  public ResumeOptions rebind(String path, DeviceConfig config) {
    Map<String, DeviceConfig> more = new LinkedHashMap<>(rebound);
    more.put(Objects.requireNonNull(path, "path"), Objects.requireNonNull(config, "config"));
    return new ResumeOptions(backend, identity, clock, name, more, paused, acceptChangedDisks);
  }

  /** The same, but standing before its next instruction. */
  public ResumeOptions standing() {
    return new ResumeOptions(backend, identity, clock, name, rebound, true, acceptChangedDisks);
  }

  /**
   * The same, but disks are taken as they are, whatever the snapshot says of their files. The guest
   * may have read, and kept in its memory, what the files no longer hold.
   */
  public ResumeOptions acceptingChangedDisks() {
    return new ResumeOptions(backend, identity, clock, name, rebound, paused, true);
  }
}
