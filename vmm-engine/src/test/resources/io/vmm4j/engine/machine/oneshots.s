.code16
.intel_syntax noprefix
# Starts the local APIC's timer for one time, waits for its interrupt, and again: spinning and halted
# in turn. Prints a letter for each 8. An interrupt too many ends the machine with 1.
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov word ptr [0x100], offset handler
  mov word ptr [0x102], cs
  mov al, 0xFF
  out 0x21, al
  out 0xA1, al
  mov ecx, 0x1B           # IA32_APIC_BASE: x2APIC
  rdmsr
  or ah, 0x0C
  wrmsr
  xor edx, edx
  mov ecx, 0x80F          # spurious vector, enabled
  mov eax, 0x1FF
  wrmsr
  mov ecx, 0x83E          # divided by 1
  mov eax, 0x0B
  wrmsr
  mov ecx, 0x832          # one-shot
  mov eax, 0x40
  wrmsr
  xor ebx, ebx            # ticks
  xor esi, esi            # of which one is awaited
again:
  inc esi
  mov ecx, 0x838          # 50 us to 1 ms
  imul eax, ebx, 12345
  and eax, 0xFFFFF
  add eax, 50000
  xor edx, edx
  wrmsr
wait:
  cli
  cmp ebx, esi
  je again
  test bl, 1
  jz spin
  sti
halt:
  hlt
  jmp wait
spin:
  sti
  pause
  jmp wait
handler:
  push bp                 # QEMU's SVM may let an interrupt in between STI and HLT
  mov bp, sp
  cmp word ptr [bp + 2], offset halt
  jne awake
  inc word ptr [bp + 2]
awake:
  pop bp
  pushad
  mov ecx, 0x80B          # end of interrupt
  xor eax, eax
  xor edx, edx
  wrmsr
  popad
  inc ebx
  cmp ebx, esi
  ja failed
  test bl, 7
  jnz back
  push ax
  push dx
  mov eax, ebx
  shr eax, 3
  and al, 15
  add al, 'A'
  mov dx, 0x3F8
  out dx, al
  pop dx
  pop ax
back:
  iret
failed:
  mov al, 1
  out 0xF4, al
  hlt
