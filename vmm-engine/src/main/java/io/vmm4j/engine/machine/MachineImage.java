package io.vmm4j.engine.machine;

import io.vmm4j.engine.machine.console.HostConsole;
import io.vmm4j.engine.machine.device.DeviceMemories;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.RamLayout;
import io.vmm4j.snapshot.ClockState;
import io.vmm4j.snapshot.ConsoleState;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MachineSchemas;
import io.vmm4j.snapshot.MappingState;
import io.vmm4j.snapshot.StateChunk;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * All of a machine's state but the contents of its memory.
 *
 * @param description what it is made of
 * @param states of the clock, the devices in their order, the vCPUs, and the consoles
 * @param mappings of device memory
 */
record MachineImage(
    MachineDescription description, List<StateChunk> states, List<MappingState> mappings) {

  /** The chunk type and path of the clock. */
  static final String CLOCK = "clock";

  /** The chunk type of a vCPU. */
  static final String VCPU = "vcpu";

  /** The most that a snapshot holds of all consoles' transcripts together. */
  private static final long TRANSCRIPT_BYTES = 16 << 20;

  static String vcpuPath(int index) {
    return "vcpu/" + index;
  }

  /** The state of a machine that is held. */
  static MachineImage of(Machine machine) {
    machine.lock().lock();
    try {
      List<StateChunk> states = new ArrayList<>();
      ClockState clock = new ClockState(machine.time().nanoTime());
      states.add(StateChunk.of(CLOCK, CLOCK, ClockState.SCHEMA, clock));
      for (MachineDevice<?> device : machine.devices().keySet()) {
        states.add(device.save());
      }
      for (int i = 0; i < machine.plan().spec().cpus(); i++) {
        states.add(StateChunk.of(VCPU, vcpuPath(i), MachineSchemas.CPU, machine.vcpu(i).save()));
      }
      addConsoles(machine, states);
      return new MachineImage(describe(machine), List.copyOf(states), mappings(machine));
    } finally {
      machine.lock().unlock();
    }
  }

  /**
   * The consoles are no part of what the guest can tell, so a reader that does not know their
   * states may leave them out.
   */
  private static void addConsoles(Machine machine, List<StateChunk> states) {
    Map<String, HostConsole> consoles = machine.consoles();
    long all = consoles.values().stream().mapToLong(HostConsole::transcriptSize).sum();
    int most =
        (int) (all <= TRANSCRIPT_BYTES ? TRANSCRIPT_BYTES : TRANSCRIPT_BYTES / consoles.size());
    consoles.forEach((path, console) ->
        states.add(
            new StateChunk(
                MachineSchemas.CONSOLE_TYPE,
                MachineSchemas.consolePath(path),
                ConsoleState.SCHEMA.version(),
                false,
                ConsoleState.SCHEMA.toFields(console.save(most)),
                0)));
  }

  /** What a machine is made of. With the machine lock held. */
  static MachineDescription describe(Machine machine) {
    MachinePlan plan = machine.plan();
    List<MachineDescription.Device> devices =
        machine.devices().keySet().stream()
            .map(d ->
                new MachineDescription.Device(
                    d.path(), d.type(), d.configVersion(), d.configFields()))
            .toList();
    long ramBytes = plan.spec().memory().bytes();
    List<MachineDescription.Region> regions = new ArrayList<>();
    regions.add(new MachineDescription.Region(MachineDescription.RAM, ramBytes));
    // What guests may see comes first, as a file in the mapped layout is to have it.
    List<DeviceMemories.Memory> memories = new ArrayList<>(machine.deviceMemories().all());
    memories.sort(Comparator.comparing(DeviceMemories.Memory::isSparse));
    for (DeviceMemories.Memory memory : memories) {
      regions.add(
          new MachineDescription.Region(
              MachineDescription.deviceRegion(memory.path(), memory.name()),
              memory.size().bytes()));
    }
    return new MachineDescription(
        plan.spec().name(),
        ramBytes,
        plan.spec().cpus(),
        plan.spec().board(),
        devices,
        plan.spec().clock(),
        plan.tscFrequencyHz(),
        plan.startTime(),
        plan.cpuid(),
        plan.randomSeed(),
        plan.spec().consoleLimit().bytes(),
        machine.selection().name(),
        regions,
        memoryMap(ramBytes));
  }

  /** Where RAM of a size lies, as a description says it. */
  static List<MachineDescription.Range> memoryMap(long ramBytes) {
    return Stream.concat(RamLayout.fixed(ramBytes).stream(), RamLayout.shadow(ramBytes).stream())
        .sorted(java.util.Comparator.comparingLong(MemoryRange::base))
        .map(r ->
            new MachineDescription.Range(r.base(), r.length(), MachineDescription.RAM, r.offset()))
        .toList();
  }

  private static List<MappingState> mappings(Machine machine) {
    List<MappingState> mappings = new ArrayList<>();
    for (DeviceMemories.Memory memory : machine.deviceMemories().all()) {
      for (DeviceMemories.Mapping mapping : memory.mappings()) {
        mappings.add(
            new MappingState(
                memory.path(),
                memory.name(),
                mapping.name(),
                mapping.offset(),
                mapping.length(),
                mapping.guestPhysicalAddress(),
                mapping.access()));
      }
    }
    return List.copyOf(mappings);
  }

  /** Where each region lies in a machine's memory. With the machine lock held. */
  static Map<String, ImageMemory.Place> places(Machine machine) {
    Map<String, ImageMemory.Place> places = new LinkedHashMap<>();
    places.put(MachineDescription.RAM, new ImageMemory.Place(0, machine.memory().ramBytes()));
    for (DeviceMemories.Memory memory : machine.deviceMemories().all()) {
      places.put(
          MachineDescription.deviceRegion(memory.path(), memory.name()),
          new ImageMemory.Place(memory.offset(), memory.size().bytes()));
    }
    return places;
  }
}
