// Of all vCPUs that turn their MMU on behind a re-init, the first one's flushes what is mapped.
// Places: 4
@@
@@
+/* A bit of kvm->arch.flags: caches were turned on, and all was flushed, since the last re-init */
+#define STAGE2_TOGGLED 31
+
 static void stage2_unmap_memslot(struct kvm *kvm, struct kvm_memory_slot *memslot)
 {
 	...
 }

@@
@@
 stage2_unmap_vm(struct kvm *kvm)
 {
 	...
 	write_lock(&kvm->mmu_lock);
+	clear_bit(STAGE2_TOGGLED, &kvm->arch.flags);
 	...
 }

@@
@@
 kvm_toggle_cache(struct kvm_vcpu *vcpu, ...)
 {
 	...
-	if (now_enabled != was_enabled)
-		stage2_flush_vm(vcpu->kvm);
+	if (now_enabled != was_enabled && !test_bit(STAGE2_TOGGLED, &vcpu->kvm->arch.flags)) {
+		stage2_flush_vm(vcpu->kvm);
+		set_bit(STAGE2_TOGGLED, &vcpu->kvm->arch.flags);
+	}
 	...
 }
